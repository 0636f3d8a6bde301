#include "debezium/topic_state.hpp"

#include <functional>

#include "debezium/mysql_default.hpp"

namespace cdcrt::debezium {

namespace {

/// ByLogicalTableRouter adds it to keys only: it says which of the tables that it joins a row is from.
constexpr std::string_view kRouterKey = "__dbz__physicalTableIdentifier";
/// Of the topics that make room for others: the one that has not been asked for for the longest of so many by chance. Where more topics
/// take turns than there is room for, that keeps some of them, and the strict order none.
constexpr int kCandidates = 2;

uint64_t hash_of(std::string_view text, uint64_t before) { return (std::hash<std::string_view>()(text) ^ before) * 0x9E3779B97F4A7C15ULL; }

uint64_t hash_of_names(const sdk::JsonTape& tape, uint32_t object) {
  uint64_t hash = tape[object].size;
  uint32_t name = object + 1;
  for (uint32_t i = 0; i < tape[object].size; ++i) {
    hash = hash_of(tape.text(name), hash);
    name = tape[name + 1].next;
  }
  return hash;
}

cdcrt_string optional_text(const std::string& text) { return text.empty() ? cdcrt_string{} : sdk::borrow(text); }

uint32_t intern(const BoundShape& bound, sdk::RowBuilder& rows) {
  std::vector<cdcrt_column> columns(bound.layout->columns.size());
  std::vector<std::string> texts(columns.size());  // what defaults borrow until they are interned
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& from = bound.layout->columns[i];
    cdcrt_column& to = columns[i];
    to.name = sdk::borrow(from.name);
    to.type = from.type;
    if (!from.former_name.empty()) to.former_name = sdk::borrow(from.former_name);
    if (bound.layout->declared && !from.optional) to.flags |= CDCRT_COLUMN_NOT_NULL;
    // A key has no default: Debezium writes 0 for sequences.
    if (bound.is_key[i]) continue;
    if (bound.is_of_mysql && bound.layout->declared) {
      to.default_value = mysql_default(from, texts[i]);
      if (to.default_value.tag == CDCRT_ABSENT) continue;
      to.flags |= CDCRT_COLUMN_DEFAULT;
      if (from.default_certain) to.flags |= CDCRT_COLUMN_DEFAULT_CERTAIN;
    } else if (from.has_default) {
      to.flags |= CDCRT_COLUMN_DEFAULT;
      if (from.default_certain) to.flags |= CDCRT_COLUMN_DEFAULT_CERTAIN;
      to.default_value = from.default_cell;
      if (has_bytes(from.default_cell)) to.default_value.value.data = from.default_text.data();
    }
  }
  for (std::size_t i = 0; i < bound.key_columns.size(); ++i) {
    cdcrt_column& column = columns[bound.key_columns[i]];
    column.key_ordinal = static_cast<uint32_t>(i + 1);
    if (sdk::view(column.name) == kRouterKey) column.flags |= CDCRT_COLUMN_ROUTED;
  }
  cdcrt_shape shape{};
  shape.size = sizeof shape;
  shape.flags = bound.flags;
  if (bound.layout->declared) shape.flags |= CDCRT_SHAPE_DECLARED;
  // The message's key is what Kafka partitions by.
  if (bound.key != nullptr) shape.flags |= CDCRT_SHAPE_KEYED;
  if (bound.key != nullptr && (bound.flags & CDCRT_SHAPE_KEY_ELSEWHERE) == 0) shape.flags |= CDCRT_SHAPE_KEY_IN_ONE_PARTITION;
  shape.database = optional_text(bound.database);
  shape.schema = optional_text(bound.schema);
  shape.table = sdk::borrow(bound.table);
  shape.columns = columns.data();
  shape.column_count = static_cast<uint32_t>(columns.size());
  shape.column_size = sizeof(cdcrt_column);
  shape.server = optional_text(bound.server);
  return rows.intern(shape);
}

/// Where the key's columns are in the row. False: `missing` is not.
bool name_key(BoundShape& bound, std::string& missing) {
  bound.is_key.assign(bound.layout->columns.size(), 0);
  if (bound.key == nullptr) return true;
  for (const auto& member : bound.key->members) {
    const int32_t column = bound.layout->find_column(member.name);
    if (column < 0) {
      missing = member.name;
      return false;
    }
    bound.key_columns.push_back(static_cast<uint32_t>(column));
    bound.is_key[static_cast<std::size_t>(column)] = 1;
  }
  return true;
}

}  // namespace

bool is_routed(std::string_view column) { return column == kRouterKey; }

const KnownSchema* TopicState::Schemas::recognise(std::string_view message) {
  if (last == KnownPrefixes::kNone || !prefixes.begins_with(message, last)) {
    const uint32_t found = prefixes.find(message);
    if (found == KnownPrefixes::kNone) return nullptr;
    last = found;
  }
  return all[by_prefix[last]].get();
}

std::shared_ptr<const Layout> TopicState::share(std::unique_ptr<Layout> layout) {
  const std::size_t before = pool_.bytes();
  auto shared = pool_.share(std::move(layout));
  pooled_ += pool_.bytes() - before;
  return shared;
}

const KnownSchema* TopicState::learn(Schemas& schemas, KnownSchema schema, std::string_view prefix) {
  bytes_ += sizeof(KnownSchema) + kPlaceBytes;
  schema.prefix = prefix.size();
  schemas.all.push_back(std::make_unique<KnownSchema>(std::move(schema)));
  if (!prefix.empty()) {
    const std::size_t before = schemas.prefixes.bytes();
    schemas.last = static_cast<uint32_t>(schemas.by_prefix.size());
    const std::size_t shared_before = pool_.bytes();
    schemas.prefixes.add(prefix, pool_.keep(prefix));
    pooled_ += pool_.bytes() - shared_before;
    schemas.by_prefix.push_back(static_cast<uint32_t>(schemas.all.size() - 1));
    bytes_ += schemas.prefixes.bytes() - before;
  }
  return schemas.all.back().get();
}

const Layout* TopicState::natural(Layouts& layouts, const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix,
                                  std::string& duplicate) {
  if (layouts.last != nullptr && matches(*layouts.last, tape, object)) return layouts.last;
  const uint64_t hash = hash_of_names(tape, object);
  for (auto [place, end] = layouts.all.equal_range(hash); place != end; ++place) {
    if (matches(*place->second, tape, object)) return layouts.last = place->second.get();
  }
  auto made = natural_layout(tape, object, metadata_prefix, duplicate);
  if (!made) return nullptr;
  bytes_ += kPlaceBytes;
  return layouts.last = layouts.all.emplace(hash, share(std::move(made)))->second.get();
}

const BoundShape* TopicState::bind(const Layout* layout, const Layout* key, const TableReference& table, sdk::RowBuilder& rows,
                                   std::string& missing) {
  // A null value names no server: it is of the one whose events the topic has.
  if (!table.server.empty() && table.server != server_) server_ = std::string(table.server);
  const auto is_it = [&](const BoundShape& bound) {
    return bound.row == layout && bound.key == key && table.table == bound.table && table.schema == bound.schema &&
           table.database == bound.database && server_ == bound.server && table.flags == bound.flags &&
           table.is_of_mysql == bound.is_of_mysql;
  };
  if (last_shape_ != nullptr && is_it(*last_shape_)) return last_shape_;
  const uint64_t hash = hash_of(table.table, hash_of(table.schema, reinterpret_cast<uintptr_t>(layout)));
  if (!shapes_.empty()) {
    const std::size_t mask = shapes_.size() - 1;
    for (std::size_t place = hash & mask; shapes_[place].shape; place = (place + 1) & mask) {
      if (shapes_[place].hash == hash && is_it(*shapes_[place].shape)) return last_shape_ = shapes_[place].shape.get();
    }
  }
  auto bound = std::make_unique<BoundShape>();
  bound->row = layout;
  if (key != nullptr && layout->find_column(kRouterKey) < 0) {
    if (const int32_t column = key->find_column(kRouterKey); column >= 0) {
      auto routed = std::make_unique<Layout>(*layout);
      routed->columns.push_back(key->columns[static_cast<std::size_t>(column)]);
      bytes_ += layout_bytes(*routed);
      layout = routed_.emplace_back(std::move(routed)).get();
      bound->is_routed = true;
    }
  }
  bound->layout = layout;
  bound->key = key;
  bound->database = std::string(table.database);
  bound->schema = std::string(table.schema);
  bound->table = std::string(table.table);
  bound->server = server_;
  bound->flags = table.flags;
  bound->is_of_mysql = table.is_of_mysql;
  if (!name_key(*bound, missing)) return nullptr;
  bound->id = intern(*bound, rows);
  bytes_ += sizeof(BoundShape) + layout->columns.size();
  for (const std::string* name : {&bound->database, &bound->schema, &bound->table, &bound->server}) bytes_ += text_bytes(*name);
  last_shape_ = bound.get();
  add_shape(hash, std::move(bound));
  return last_shape_;
}

void TopicState::add_shape(uint64_t hash, std::unique_ptr<BoundShape> shape) {
  const auto put = [this](PlacedShape placed) {
    const std::size_t mask = shapes_.size() - 1;
    std::size_t place = placed.hash & mask;
    while (shapes_[place].shape) place = (place + 1) & mask;
    shapes_[place] = std::move(placed);
  };
  if (2 * ++shape_count_ > shapes_.size()) {
    constexpr std::size_t kFirst = 4;
    std::vector<PlacedShape> before(shapes_.empty() ? kFirst : 2 * shapes_.size());
    before.swap(shapes_);
    bytes_ += (shapes_.size() - before.size()) * sizeof(PlacedShape);
    for (PlacedShape& placed : before) {
      if (placed.shape) put(std::move(placed));
    }
  }
  put({hash, std::move(shape)});
}

uint32_t TopicState::define(const Layout& layout, const Layout& key, const TableReference& table, sdk::RowBuilder& rows) {
  BoundShape bound;
  bound.layout = &layout;
  bound.key = &key;
  bound.database = std::string(table.database);
  bound.schema = std::string(table.schema);
  bound.table = std::string(table.table);
  bound.server = std::string(table.server);
  bound.flags = table.flags;
  std::string missing;
  name_key(bound, missing);
  return intern(bound, rows);
}

const std::optional<TableName>& TopicState::table(const TopicRule& rule) {
  if (!table_known_) {
    table_ = rule.table(topic_);
    table_known_ = true;
  }
  return table_;
}

void TopicState::forget() {
  shapes_.clear();
  shape_count_ = 0;
  last_shape_ = nullptr;
  values_ = {};
  keys_ = {};
  rows_ = {};
  natural_keys_ = {};
  routed_.clear();
  bytes_ = pooled_ = 0;
  pool_.trim();
}

TopicState& TopicStates::of(std::string_view topic) {
  if (!places_.empty()) {
    Place& last = places_[last_];
    count(last);
    if (last.state->topic() == topic) return *last.state;
  }
  auto found = by_topic_.find(topic);
  if (found == by_topic_.end()) {
    if (bytes() > TopicState::kMaximumBytes) make_room();
    auto made = std::make_unique<TopicState>(std::string(topic), pool_);
    found = by_topic_.emplace(made->topic(), places_.size()).first;
    places_.push_back({std::move(made)});
  }
  last_ = found->second;
  places_[last_].used = ++asked_;
  return *places_[last_].state;
}

void TopicStates::count(Place& place) {
  const std::size_t now = sizeof(TopicState) + sizeof(Place) + kPlaceBytes + text_bytes(place.state->topic()) + place.state->bytes();
  bytes_ += now - place.bytes;
  place.bytes = now;
}

// Many at a time, since what they shared is looked through each time.
void TopicStates::make_room() {
  constexpr std::size_t kShare = 8;
  for (std::size_t topics = 1 + places_.size() / kShare; topics > 0 && !places_.empty(); --topics) forget_one();
  pool_.trim();
}

void TopicStates::forget_one() {
  std::size_t oldest = places_.size();
  for (int i = 0; i < kCandidates; ++i) {
    chance_ = chance_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto candidate = static_cast<std::size_t>((chance_ >> 33) % places_.size());
    if (oldest == places_.size() || places_[candidate].used < places_[oldest].used) oldest = candidate;
  }
  bytes_ -= places_[oldest].bytes;
  by_topic_.erase(places_[oldest].state->topic());
  if (oldest + 1 < places_.size()) {
    places_[oldest] = std::move(places_.back());
    by_topic_[places_[oldest].state->topic()] = oldest;
  }
  places_.pop_back();
}

}  // namespace cdcrt::debezium
