#include "runtime/event_reader.hpp"

#include <algorithm>
#include <deque>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::runtime {
namespace {

// What is read at once, so that a visitor who waits for the target keeps nobody else from the source.
constexpr std::size_t kMaxMessages = 500;
constexpr std::size_t kMaxReadBytes = 1 << 20;

/// Messages with bytes of their own.
class FetchedMessages {
 public:
  void clear() {
    messages_.clear();
    headers_.clear();
    arena_.clear();
    bytes_ = 0;
  }
  /// False once it is full.
  bool add(const cdcrt_message& message) {
    cdcrt_message& kept = messages_.emplace_back(message);
    kept.key = own(message.key);
    kept.value = own(message.value);
    auto& headers = headers_.emplace_back(message.headers, message.headers + message.header_count);
    for (cdcrt_header& header : headers) header = {own(header.name), own(header.value)};
    kept.headers = headers.data();
    return messages_.size() < kMaxMessages && bytes_ < kMaxReadBytes;
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

Result<void> SourceEventReader::read(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                                     const Visit& visit) {
  const auto source =
      std::find_if(sources_.begin(), sources_.end(), [&](const auto& candidate) { return candidate->name() == partition.source(); });
  if (source == sources_.end()) return make_error(CDCRT_FATAL, "no source named '" + partition.source() + "'");
  auto format = plugin::Format::create((*source)->manifest().format);
  if (!format) return std::move(format.error());
  event::RowBatch rows(shapes_);
  std::vector<uint32_t> indexes;
  FetchedMessages fetched;
  const auto visit_one = [&](const cdcrt_message& message) -> Result<bool> {
    if (message.unreadable.data != nullptr) return true;
    cdcrt_messages one{};
    one.size = sizeof one;
    one.topic = sdk::borrow(partition.topic());
    one.partition = partition.number();
    one.messages = &message;
    one.count = 1;
    rows.clear();
    if (auto decoded = format->decode(one, rows); !decoded) return std::move(decoded.error());
    indexes.clear();
    for (uint32_t i = 0; i < rows.size(); ++i) {
      if (rows.rows()[i].operation == CDCRT_MARKER) continue;
      if (destinations_->resolve(partition, rows.rows()[i].shape).table == &table) indexes.push_back(i);
    }
    return indexes.empty() || visit(one, rows, indexes);
  };
  for (int64_t next = first; next <= last;) {
    fetched.clear();
    bool full = false;
    rows.clear();
    if (const uint64_t known = rows.shape_generation(); rows.renew_shapes() != known) {
      format = plugin::Format::create((*source)->manifest().format);
      if (!format) return std::move(format.error());
    }
    auto done = (*source)->fetch(partition.topic(), partition.number(), next, last, [&](const cdcrt_message& message) {
      full = !fetched.add(message);
      return !full;
    });
    if (!done) {
      // Retention has overtaken the reading: begun anew it finds its beginning gone, before anything is visited.
      if (done.error().code == CDCRT_UNSUPPORTED && next != first) done.error().code = CDCRT_RETRY;
      return done;
    }
    for (const cdcrt_message& message : fetched.all()) {
      auto goes_on = visit_one(message);
      if (!goes_on) return std::move(goes_on.error());
      if (!*goes_on) return {};
    }
    if (!full) return {};
    next = fetched.all().back().offset + 1;
  }
  return {};
}

}  // namespace cdcrt::runtime
