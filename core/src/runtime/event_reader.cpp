#include "runtime/event_reader.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::runtime {
namespace {

/// What is read at once, so that a visitor who waits for the target keeps nobody else from the source.
struct Piece {
  std::size_t messages = 500;
  std::size_t bytes = 1 << 20;
};

// Of all partitions that are read in turn. The file source keeps this much of the others meanwhile.
constexpr Piece kTurn{8000, 4 << 20};
constexpr Piece kLeast{10, 64 << 10};

Piece piece_of(std::size_t turns) {
  return {std::clamp(kTurn.messages / turns, kLeast.messages, Piece().messages),
          std::clamp(kTurn.bytes / turns, kLeast.bytes, Piece().bytes)};
}

/// Messages with bytes of their own.
class FetchedMessages {
 public:
  void clear() {
    messages_.clear();
    headers_.clear();
    arena_.clear();
    bytes_ = 0;
  }
  /// False once it holds a piece.
  bool add(const cdcrt_message& message, const Piece& piece) {
    cdcrt_message& kept = messages_.emplace_back(message);
    kept.key = own(message.key);
    kept.value = own(message.value);
    auto& headers = headers_.emplace_back(message.headers, message.headers + message.header_count);
    for (cdcrt_header& header : headers) header = {own(header.name), own(header.value)};
    kept.headers = headers.data();
    return messages_.size() < piece.messages && bytes_ < piece.bytes;
  }
  [[nodiscard]] const std::deque<cdcrt_message>& all() const { return messages_; }

 private:
  cdcrt_string own(cdcrt_string text) {
    if (text.data == nullptr) return text;
    bytes_ += text.size;
    const std::string_view copy = arena_.copy(sdk::view(text));
    return {copy.empty() ? "" : copy.data(), text.size};
  }

  std::deque<cdcrt_message> messages_;
  std::deque<std::vector<cdcrt_header>> headers_;
  event::Arena arena_{64 << 10};
  std::size_t bytes_ = 0;
};

}  // namespace

/// One reading of a partition, with a decoder of its own.
class SourceEventReader::Reading {
 public:
  Reading(SourceEventReader& reader, const apply::Table& table, const progress::Partition& partition, const Visit& visit)
      : reader_(reader), table_(table), partition_(partition), visit_(visit), rows_(reader.shapes_) {}

  Result<void> begin() {
    const auto source = std::find_if(reader_.sources_.begin(), reader_.sources_.end(),
                                     [&](const auto& candidate) { return candidate->name() == partition_.source(); });
    if (source == reader_.sources_.end()) return make_error(CDCRT_FATAL, "no source named '" + partition_.source() + "'");
    source_ = source->get();
    return renew_format();
  }

  [[nodiscard]] bool is_group() const { return source_->is_group(); }
  /// The visitor stopped, or nothing is left up to `last`.
  [[nodiscard]] bool is_over() const { return is_over_; }

  /// Reads a piece of `first`..`last` and visits it; the offset behind what was visited.
  Result<int64_t> read(int64_t first, int64_t last, const Piece& piece) {
    fetched_.clear();
    bool full = false;
    rows_.clear();
    if (const uint64_t known = rows_.shape_generation(); rows_.renew_shapes() != known) {
      if (auto renewed = renew_format(); !renewed) return std::move(renewed.error());
    }
    auto done = source_->fetch(partition_.topic(), partition_.number(), first, last, [&](const cdcrt_message& message) {
      full = !fetched_.add(message, piece);
      return !full;
    });
    if (!done) return std::move(done.error());
    for (const cdcrt_message& message : fetched_.all()) {
      auto goes_on = visit_one(message);
      if (!goes_on) return std::move(goes_on.error());
      is_over_ = !*goes_on;
      if (is_over_) return message.offset + 1;
    }
    is_over_ = !full;
    return full ? fetched_.all().back().offset + 1 : last + 1;
  }

 private:
  Result<void> renew_format() {
    auto format = plugin::Format::create(source_->manifest().format);
    if (!format) return std::move(format.error());
    format_.emplace(std::move(*format));
    return {};
  }

  Result<bool> visit_one(const cdcrt_message& message) {
    if (message.unreadable.data != nullptr) return true;
    cdcrt_messages one{};
    one.size = sizeof one;
    one.topic = sdk::borrow(partition_.topic());
    one.partition = partition_.number();
    one.messages = &message;
    one.count = 1;
    rows_.clear();
    if (auto decoded = format_->decode(one, rows_); !decoded) return std::move(decoded.error());
    indexes_.clear();
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      if (rows_.rows()[i].operation == CDCRT_MARKER) continue;
      if (reader_.destinations_->resolve(partition_, rows_.rows()[i].shape).table == &table_) indexes_.push_back(i);
    }
    return indexes_.empty() || visit_(one, rows_, indexes_);
  }

  SourceEventReader& reader_;
  const apply::Table& table_;
  const progress::Partition& partition_;
  const Visit& visit_;
  SourceRuntime* source_ = nullptr;
  std::optional<plugin::Format> format_;
  event::RowBatch rows_;
  std::vector<uint32_t> indexes_;
  FetchedMessages fetched_;
  bool is_over_ = false;
};

Result<void> SourceEventReader::read(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                                     const Visit& visit) {
  Reading reading(*this, table, partition, visit);
  if (auto begun = reading.begin(); !begun) return begun;
  for (int64_t next = first; next <= last && !reading.is_over();) {
    auto read = reading.read(next, last, {});
    if (!read) {
      // Retention has overtaken the reading: begun anew it finds its beginning gone, before anything is visited.
      if (read.error().code == CDCRT_UNSUPPORTED && next != first) read.error().code = CDCRT_RETRY;
      return std::move(read.error());
    }
    next = *read;
  }
  return {};
}

Result<int64_t> SourceEventReader::read_piece(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                                              std::size_t turns, const Visit& visit) {
  Reading reading(*this, table, partition, visit);
  if (auto begun = reading.begin(); !begun) return std::move(begun.error());
  return reading.read(first, last, reading.is_group() ? Piece() : piece_of(turns));
}

}  // namespace cdcrt::runtime
