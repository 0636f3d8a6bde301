#include "apply/stretch.hpp"

#include <algorithm>

#include "apply/rows_aside.hpp"
#include "cdcrt/sdk/status.hpp"
#include "event/log_order.hpp"
#include "event/row_batch.hpp"

namespace cdcrt::apply {

// One partition: how far its events are passed, and a chunk of them from there on.
struct Stretch::Reading {
  struct Read {
    uint32_t first_row = 0, rows = 0;
    std::string order;  // of the partition, once it was read
  };

  Reading(const SealedPartition& part, event::ShapeRegistry& shapes)
      : partition(part.partition), session(part.session), end(part.next_offset), last_order(part.order), counts(part.fold.counts),
        passed_next(part.first_offset), passed_order(part.first_order), rows(shapes) {}

  progress::Partition* const partition;
  const uint32_t session;
  const int64_t end;
  const std::string last_order;  // once all of it is passed
  const EventCounts counts;
  int64_t passed_next;
  std::string passed_order;
  bool passed_all = false;

  bool is_loaded = false;    // the chunk goes on where it is passed
  bool is_streamed = false;  // the piece that is looked at began in an earlier chunk
  bool is_last = false;      // nothing comes after the chunk
  std::size_t first = 0;     // not passed
  std::size_t at = 0;        // behind the piece that is looked at
  std::size_t folded = 0;    // of the piece
  int64_t next = 0;          // where the next chunk begins
  std::vector<cdcrt_message> messages;
  std::vector<std::vector<cdcrt_header>> headers;
  std::vector<Read> reads;
  event::RowBatch rows;
  event::Arena bytes{64 << 10};
};

namespace {

cdcrt_string own(cdcrt_string text, event::Arena& arena) {
  if (text.data == nullptr) return text;
  const std::string_view copy = arena.copy(sdk::view(text));
  return {copy.empty() ? "" : copy.data(), text.size};
}

}  // namespace

// Takes the events as the batch's table did.
class Stretch::Folding {
 public:
  Folding(const Sealed& batch, const std::vector<std::unique_ptr<Reading>>& readings)
      : batch_(batch), aside_(batch, event::later_order(batch.floor, batch.table->kept().row().floor)) {
    for (const auto& reading : readings) aside_.begin(*reading->partition, reading->passed_next, reading->passed_order);
    const std::size_t all = batch.table->partition_count();
    if (all > readings.size() && !readings.empty()) aside_.count_others(all - readings.size());
  }

  void add(const Reading& reading, std::size_t first, std::size_t end, const event::ShapeRegistry& shapes) {
    if (first == end) return;
    indexes_.clear();
    for (std::size_t i = first; i < end; ++i) {
      for (uint32_t row = 0; row < reading.reads[i].rows; ++row) indexes_.push_back(reading.reads[i].first_row + row);
    }
    cdcrt_messages all{};
    all.size = sizeof all;
    all.topic = sdk::borrow(reading.partition->topic());
    all.partition = reading.partition->number();
    all.messages = reading.messages.data();
    all.count = static_cast<uint32_t>(reading.messages.size());
    aside_.add({*reading.partition, all, reading.rows, shapes, reading.messages[end - 1].offset + 1}, indexes_.data(), indexes_.size(),
               [](const Refusal&) {});  // became a dead letter when it was folded first
  }

  std::optional<Sealed> take(const std::vector<std::unique_ptr<Reading>>& readings) {
    auto sealed = aside_.take(*batch_.table);
    if (!sealed) return std::nullopt;
    for (auto& part : sealed->partitions) {
      for (const auto& reading : readings) {
        if (part.partition == reading->partition) part.session = reading->session;
      }
    }
    return sealed;
  }

 private:
  const Sealed& batch_;
  RowsAside aside_;
  std::vector<uint32_t> indexes_;
};

Stretch::Stretch(const Sealed& batch, EventReader& reader) : batch_(batch), reader_(reader) {
  is_ordered_ = batch.partitions.size() > 1;
  for (const auto& part : batch.partitions) {
    readings_.push_back(std::make_unique<Reading>(part, reader.shapes()));
    is_ordered_ = is_ordered_ && !part.order.empty();
  }
}

Stretch::~Stretch() = default;

// The next chunk, in place of the last one.
Result<void> Stretch::load(Reading& reading) {
  std::string order = reading.is_loaded && !reading.reads.empty() ? reading.reads.back().order : reading.passed_order;
  if (!reading.is_loaded) reading.next = reading.passed_next;
  reading.is_loaded = false;
  reading.messages.clear();
  reading.headers.clear();
  reading.reads.clear();
  reading.rows.clear();
  reading.bytes.clear();
  reading.first = reading.at = reading.folded = 0;
  const std::size_t max_events = std::max<std::size_t>(kMaxEvents / readings_.size(), 16);
  const std::size_t max_bytes = kMaxBytes / readings_.size();
  std::size_t bytes = 0;
  bool is_full = false;
  const auto take = [&](const cdcrt_messages& read, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
    cdcrt_message& message = reading.messages.emplace_back(read.messages[0]);
    bytes += message.key.size + message.value.size;
    message.key = own(message.key, reading.bytes);
    message.value = own(message.value, reading.bytes);
    auto& headers = reading.headers.emplace_back(message.headers, message.headers + message.header_count);
    for (cdcrt_header& header : headers) header = {own(header.name, reading.bytes), own(header.value, reading.bytes)};
    message.headers = headers.data();
    auto& kept = reading.reads.emplace_back();
    cdcrt_rows* const into = reading.rows.abi();
    reading.rows.keep_shapes_of(rows);
    kept.first_row = into->row_count;
    for (const uint32_t index : indexes) {
      cdcrt_row row = rows.rows()[index];
      const auto width = static_cast<uint32_t>(reader_.shapes().get(row.shape).columns.size());
      if (into->grow(into, 1, 3 * width) != 0) return false;
      for (uint32_t* const image : {&row.cells, &row.before, &row.other_key}) {
        if (*image == CDCRT_NO_CELLS || row.operation == CDCRT_TRUNCATE) continue;
        const cdcrt_cell* const from = rows.cells(*image);
        *image = into->cell_count;
        for (uint32_t i = 0; i < width; ++i) into->cells[into->cell_count++] = event::copy_cell(from[i], reading.bytes);
      }
      row.message = static_cast<uint32_t>(reading.messages.size() - 1);
      row.source_order = own(row.source_order, reading.bytes);
      if (row.source_order.data != nullptr && (!batch_.by_source || event::is_after(sdk::view(row.source_order), order)))
        order = sdk::view(row.source_order);
      into->rows[into->row_count++] = row;
      ++kept.rows;
    }
    kept.order = order;
    reading.next = message.offset + 1;
    is_full = reading.messages.size() >= max_events || bytes >= max_bytes;
    return !is_full;
  };
  if (reading.next < reading.end) {
    if (auto read = reader_.read(*batch_.table, *reading.partition, reading.next, reading.end - 1, take); !read) return read;
  }
  reading.is_last = !is_full;
  reading.is_loaded = true;
  return {};
}

// Whose event is next; null: the piece ends here.
Result<Stretch::Reading*> Stretch::next_reading(bool streams, Folding& folding) {
  Reading* next = nullptr;
  for (std::size_t i = 0; i < readings_.size(); ++i) {
    Reading& reading = *readings_[i];
    const bool is_dry = !reading.is_loaded || (reading.at == reading.messages.size() && !reading.is_last);
    if (is_dry) {
      const bool holds_some = reading.is_loaded && reading.first < reading.at;
      if (holds_some && !streams) return nullptr;
      if (holds_some) {
        folding.add(reading, reading.folded, reading.at, reader_.shapes());
        reading.is_streamed = true;
      }
      if (auto loaded = load(reading); !loaded) return std::move(loaded.error());
    }
    if (reading.at == reading.messages.size()) continue;
    if (next == nullptr || event::is_after(next->reads[next->at].order, reading.reads[reading.at].order)) next = &reading;
    if (!is_ordered_) return next;
  }
  return next;
}

Result<Stretch::Piece> Stretch::peek(std::size_t count) {
  for (auto& reading : readings_) {
    if (std::exchange(reading->is_streamed, false)) reading->is_loaded = false;
    reading->at = reading->folded = reading->first;
  }
  Piece piece;
  Folding folding(batch_, readings_);
  while (piece.events < count) {
    auto next = next_reading(count > kMaxEvents, folding);
    if (!next) return std::move(next.error());
    if (*next == nullptr) break;
    ++(*next)->at;
    ++piece.events;
  }
  for (std::size_t i = 0; i < readings_.size(); ++i) {
    Reading& reading = *readings_[i];
    folding.add(reading, reading.folded, reading.at, reader_.shapes());
    reading.folded = reading.at;
  }
  piece.sealed = folding.take(readings_);
  if (piece.sealed) piece.counts = piece.sealed->counts();
  return piece;
}

void Stretch::pass() {
  for (auto& reading : readings_) {
    if (!reading->is_loaded) continue;
    if (reading->at > 0) {
      reading->passed_next = reading->messages[reading->at - 1].offset + 1;
      reading->passed_order = reading->reads[reading->at - 1].order;
    }
    reading->first = reading->at;
    reading->is_streamed = false;
    reading->passed_all = reading->is_last && reading->at == reading->messages.size();
  }
}

Stretch::Event Stretch::event() const {
  for (const auto& reading : readings_) {
    if (reading->is_loaded && reading->at > reading->first) return {reading->partition, &reading->messages[reading->at - 1]};
  }
  return {};
}

bool Stretch::ended() const {
  return std::all_of(readings_.begin(), readings_.end(), [](const auto& reading) { return reading->passed_all; });
}

std::vector<SealedPartition> Stretch::positions() const {
  std::vector<SealedPartition> positions;
  for (const auto& reading : readings_) {
    SealedPartition& part = positions.emplace_back();
    part.partition = reading->partition;
    part.session = reading->session;
    part.next_offset = reading->passed_all ? reading->end : reading->passed_next;
    part.order = reading->passed_all ? reading->last_order : reading->passed_order;
    part.first_offset = part.next_offset;
    part.first_order = part.order;
  }
  return positions;
}

void Stretch::go_back(const std::vector<SealedPartition>& positions) {
  for (auto& reading : readings_) {
    for (const auto& part : positions) {
      if (part.partition != reading->partition) continue;
      reading->passed_next = part.next_offset;
      reading->passed_order = part.order;
      reading->passed_all = part.next_offset >= reading->end;
    }
    reading->is_loaded = false;
  }
}

void Stretch::drop(const progress::Partition& partition) {
  std::erase_if(readings_, [&](const auto& reading) { return reading->partition == &partition; });
}

Result<bool> Stretch::is_whole() {
  auto piece = peek(SIZE_MAX);
  if (!piece) return std::move(piece.error());
  size_ = piece->events;
  const auto same = [](const EventCounts& one, const EventCounts& other) {
    return one.inserted == other.inserted && one.updated == other.updated && one.deleted == other.deleted;
  };
  for (const auto& reading : readings_) {
    EventCounts found;
    if (piece->sealed) {
      for (const auto& part : piece->sealed->partitions) {
        if (part.partition == reading->partition) found = part.fold.counts;
      }
    }
    if (!same(found, reading->counts)) return false;
  }
  return true;
}

}  // namespace cdcrt::apply
