// The broker behind the source boundary, and the format of its messages.
#include <algorithm>
#include <charconv>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/source.hpp"
#include "simulation/broker.hpp"

namespace cdcrt::simulation {
namespace {

std::string show(const Place& place) {
  return broker()->workload().topics[static_cast<std::size_t>(place.first)].name + "[" + std::to_string(place.second) + "]";
}

// Messages and the texts they borrow.
struct Batch {
  std::string topic;
  std::vector<std::string> texts;
  std::vector<cdcrt_message> messages;

  void add(std::size_t event, int64_t offset) {
    texts.push_back(std::to_string(event));
    cdcrt_message& message = messages.emplace_back();
    message.offset = offset;
    message.timestamp_ms = 1000 + static_cast<int64_t>(event);
  }
  void finish() {
    for (std::size_t i = 0; i < messages.size(); ++i) messages[i].value = sdk::borrow(texts[i]);
  }
};

class Source final : public sdk::Source {
 public:
  static constexpr uint32_t kCapabilities = CDCRT_SOURCE_REWINDS | CDCRT_SOURCE_GROUPS;
  explicit Source(const sdk::Config&) : process_(scheduler().process()) {}

  sdk::Status start(const cdcrt_source_events& events) override {
    events_ = &events;
    broker()->join(process_);
    return {};
  }

  sdk::Status seek(std::string_view topic, int32_t partition, int64_t offset, uint32_t generation) override {
    const Place place{broker()->topic_of(topic), partition};
    if (!told_.contains(place)) return {};
    CDCRT_TRACE("source: seek " + show(place) + " to " + std::to_string(offset) + ", generation " + std::to_string(generation));
    positions_[place] = {std::max(offset, broker()->logs[place].first), generation};
    return {};
  }

  sdk::Status serve() override {
    take_time();
    return follow_group();
  }

  sdk::Status poll(std::chrono::milliseconds, cdcrt_messages& out) override {
    take_time();
    if (auto followed = follow_group(); !followed) return followed;
    std::vector<Place> ready;
    for (const auto& [place, position] : positions_) {
      if (position.offset < broker()->logs[place].end()) ready.push_back(place);
    }
    if (ready.empty()) {
      scheduler().block(broker(), scheduler().now() + late_wake());
      return {};
    }
    const Place place = ready[static_cast<std::size_t>(random().below(static_cast<int64_t>(ready.size())))];
    Position& position = positions_[place];
    const Broker::Log& log = broker()->logs[place];
    auto* batch = new Batch;
    batch->topic = broker()->workload().topics[static_cast<std::size_t>(place.first)].name;
    position.offset = std::max(position.offset, log.first);
    for (auto left = random().between(1, 6); left > 0 && position.offset < log.end(); --left) {
      batch->add(log.events[static_cast<std::size_t>(position.offset)], position.offset);
      ++position.offset;
    }
    batch->finish();
    CDCRT_TRACE("source: batch of " + show(place) + " offsets " + std::to_string(batch->messages.front().offset) + " to " +
                std::to_string(batch->messages.back().offset) + ", generation " + std::to_string(position.generation));
    out.topic = sdk::borrow(batch->topic);
    out.partition = place.second;
    out.messages = batch->messages.data();
    out.count = static_cast<uint32_t>(batch->messages.size());
    out.message_size = sizeof(cdcrt_message);
    out.generation = position.generation;
    out.bytes = 100 * out.count;
    out.owner = batch;
    out.release = [](cdcrt_messages* messages) { delete static_cast<Batch*>(messages->owner); };
    return {};
  }

  sdk::Status fetch(std::string_view topic, int32_t partition, int64_t first, int64_t last,
                    const std::function<bool(const cdcrt_message&)>& visit) override {
    if (auto reached = reach(); !reached) return reached;
    const Place place{broker()->topic_of(topic), partition};
    CDCRT_TRACE("source: fetch " + show(place) + " offsets " + std::to_string(first) + " to " + std::to_string(last));
    for (int64_t offset = std::max(first, broker()->logs[place].first); offset <= last && offset < broker()->logs[place].end(); ++offset) {
      Batch one;
      one.add(broker()->logs[place].events[static_cast<std::size_t>(offset)], offset);
      one.finish();
      if (!visit(one.messages.front())) break;
    }
    return {};
  }

  sdk::Status list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) override {
    if (auto reached = reach(); !reached) return reached;
    for (const auto& [place, log] : std::map(broker()->logs)) {
      if (!visit(broker()->workload().topics[static_cast<std::size_t>(place.first)].name, place.second)) break;
    }
    return {};
  }

  sdk::Status bounds(std::string_view topic, int32_t partition, cdcrt_bounds& out) override {
    if (auto reached = reach(); !reached) return reached;
    const Broker::Log& log = broker()->logs[{broker()->topic_of(topic), partition}];
    out.first = log.first;
    out.end = log.end();
    return {};
  }

  sdk::Status origin(std::string_view topic, int32_t partition, int64_t& offset) override {
    if (auto reached = reach(); !reached) return reached;
    offset = broker()->logs[{broker()->topic_of(topic), partition}].first;
    return {};
  }

  // Together some are told; what is left out is asked for alone.
  sdk::Status bounds_of(const std::vector<cdcrt_place>& places,
                        const std::function<void(std::size_t, const cdcrt_bounds&)>& answer) override {
    if (auto reached = reach(); !reached) return reached;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Broker::Log& log = broker()->logs[{broker()->topic_of(sdk::view(places[i].topic)), places[i].partition}];
      if (is_told()) answer(i, {log.first, log.end()});
    }
    return {};
  }

  sdk::Status origins_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, int64_t)>& answer) override {
    if (auto reached = reach(); !reached) return reached;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (is_told()) answer(i, broker()->logs[{broker()->topic_of(sdk::view(places[i].topic)), places[i].partition}].first);
    }
    return {};
  }

  sdk::Status messages_at(const std::vector<cdcrt_place>& places,
                          const std::function<void(std::size_t, const cdcrt_message*)>& answer) override {
    if (auto reached = reach(); !reached) return reached;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Broker::Log& log = broker()->logs[{broker()->topic_of(sdk::view(places[i].topic)), places[i].partition}];
      if (!is_told()) continue;
      const int64_t offset = places[i].offset;
      if (offset < log.first || offset >= log.end()) {
        answer(i, nullptr);
        continue;
      }
      Batch one;
      one.add(log.events[static_cast<std::size_t>(offset)], offset);
      one.finish();
      answer(i, &one.messages.front());
    }
    return {};
  }

  void stop() override {
    if (events_ == nullptr) return;
    for (const Place& place : std::exchange(told_, {})) tell(events_->revoked, place);
    positions_.clear();
    broker()->leave(process_);
    events_ = nullptr;
  }

 private:
  struct Position {
    int64_t offset = 0;
    uint32_t generation = 0;
  };

  static bool is_told() { return random().below(8) > 0; }

  sdk::Status reach() {
    take_time();
    if (broker()->down || goes_wrong(character().broker_errors)) return sdk::Status::retry("the broker does not answer");
    return {};
  }

  void tell(void (*event)(void*, cdcrt_string, int32_t), const Place& place) {
    CDCRT_TRACE("source: " + show(place) + (event == events_->assigned ? " assigned" : " revoked"));
    const std::string topic = broker()->workload().topics[static_cast<std::size_t>(place.first)].name;
    event(events_->self, sdk::borrow(topic), place.second);
  }

  sdk::Status follow_group() {
    if (broker()->down || goes_wrong(character().broker_errors)) return sdk::Status::retry("the broker does not answer");
    broker()->rebalance(true);
    const auto found = broker()->members.find(process_);
    // Put out: what it had is not its own any more.
    const bool expired = found == broker()->members.end();
    if (expired) {
      for (const Place& place : std::exchange(told_, {})) tell(events_->revoked, place);
      positions_.clear();
      broker()->join(process_);
      return {};
    }
    Broker::Member& member = found->second;
    member.last_seen = scheduler().now();
    if (member.generation == broker()->generation()) return {};
    member.generation = broker()->generation();
    const bool eager = random().chance(500);
    const auto assigned = member.assigned;
    for (const Place& place : std::set(told_)) {
      if (!eager && assigned.contains(place)) continue;
      told_.erase(place);
      positions_.erase(place);
      tell(events_->revoked, place);
    }
    for (const Place& place : assigned) {
      if (told_.insert(place).second) tell(events_->assigned, place);
    }
    return {};
  }

  const int process_;
  const cdcrt_source_events* events_ = nullptr;
  std::set<Place> told_;
  std::map<Place, Position> positions_;
};

class Format final : public sdk::Format {
 public:
  explicit Format(const sdk::Config&) {}

  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override {
    for (const sdk::Message& message : messages) {
      std::size_t index = 0;
      const std::string_view text = message.value();
      std::from_chars(text.data(), text.data() + text.size(), index);
      put(broker()->workload().events[index], message.index(), rows);
    }
    return {};
  }

 private:
  static void put(const Event& event, uint32_t message, sdk::RowBuilder& rows) {
    const SourceTable& table = broker()->workload().tables[static_cast<std::size_t>(event.table)];
    const std::size_t width = event.wide ? kColumns : kColumns - 1;
    cdcrt_column columns[kColumns] = {};
    for (std::size_t i = 0; i < width; ++i) {
      columns[i].name = sdk::borrow(kColumnNames[i]);
      columns[i].type.kind = i == 0 || i == kColumnB ? CDCRT_TYPE_INT64 : CDCRT_TYPE_STRING;
    }
    const auto& names_of_c = broker()->workload().names_of_c;
    columns[kColumnC].name = sdk::borrow(names_of_c[event.renamed]);
    if (event.renames) columns[kColumnC].former_name = sdk::borrow(names_of_c[event.renamed - 1]);
    const bool tells_key = !table.key_elsewhere || event.operation == CDCRT_DEFINITION;
    if (table.keyed && tells_key) columns[0].key_ordinal = 1;
    cdcrt_shape shape{};
    shape.size = sizeof shape;
    shape.flags = CDCRT_SHAPE_DECLARED | (tells_key ? CDCRT_SHAPE_KEYED : CDCRT_SHAPE_KEY_ELSEWHERE);
    // Where that is not so the core finds it out by itself.
    if (!(character().scattered && character().keys_elsewhere)) shape.flags |= CDCRT_SHAPE_KEY_IN_ONE_PARTITION;
    shape.schema = sdk::borrow("shop");
    shape.table = sdk::borrow(table.name);
    if (character().told_apart) shape.server = sdk::borrow(kServer);
    shape.columns = columns;
    shape.column_count = static_cast<uint32_t>(width);
    shape.column_size = sizeof(cdcrt_column);
    const uint32_t id = rows.intern(shape);
    const auto cells = [&](const Cells& values) -> uint32_t {
      if (values.empty()) return CDCRT_NO_CELLS;
      const uint32_t first = rows.take_cells(static_cast<uint32_t>(width));
      for (std::size_t i = 0; i < width; ++i) {
        cdcrt_cell& cell = rows.cells(first)[i];
        if (values[i].kind == Value::kNull) cell.tag = CDCRT_NULL;
        if (values[i].kind == Value::kInteger) {
          cell.tag = CDCRT_I64;
          cell.value.integer = values[i].integer;
        }
        if (values[i].kind == Value::kText) {
          cell.tag = CDCRT_STRING;
          cell.size = static_cast<uint32_t>(values[i].text.size());
          cell.value.data = values[i].text.data();
        }
      }
      return first;
    };
    const uint32_t own = cells(event.cells), before = cells(event.before), other = cells(event.other_key);
    cdcrt_row& row = rows.begin_row(static_cast<cdcrt_operation>(event.operation), message, id);
    row.cells = own;
    row.before = before;
    row.other_key = other;
    char* order = rows.allocate(8);
    for (int i = 0; i < 8; ++i) order[i] = static_cast<char>(event.order >> (56 - 8 * i));
    if (!event.unordered) row.source_order = {order, 8};
  }
};

}  // namespace

const cdcrt_plugin& broker_plugin() {
  static const cdcrt_plugin plugin = sdk::detail::source_descriptor<Source>("broker", "1.0.0", sdk::kNoOptions);
  return plugin;
}

const cdcrt_plugin& format_plugin() {
  static const cdcrt_plugin plugin = sdk::detail::format_descriptor<Format>("events", "1.0.0", sdk::kNoOptions);
  return plugin;
}

}  // namespace cdcrt::simulation
