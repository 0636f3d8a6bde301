#include "cli/message_lines.hpp"

#include <string_view>
#include <utility>

#include "cdcrt/sdk/message_batch.hpp"
#include "cdcrt/sdk/status.hpp"
#include "kcat/kcat_line.hpp"

namespace cdcrt::cli {

/// The reader of the file source, which takes bytes from a batch.
struct MessageLines::Reader {
  kcat::KcatLine line{kcat::KcatLine::Form::kDeadLetter};
  std::shared_ptr<sdk::BlockPool> pool = std::make_shared<sdk::BlockPool>(2);
};

MessageLines::MessageLines(std::istream& in, LineLayout layout, std::string topic)
    : in_(in), layout_(layout), topic_(std::move(topic)), reader_(std::make_unique<Reader>()) {}

MessageLines::~MessageLines() = default;

Result<std::optional<LineMessage>> MessageLines::next() {
  std::string line;
  while (std::getline(in_, line)) {
    ++line_;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.empty()) continue;
    if (layout_ == LineLayout::kKcat) {
      auto parsed = parse_object(line);
      if (!parsed) return std::move(parsed.error());
      return std::optional(std::move(*parsed));
    }
    LineMessage message;
    message.line = line_;
    message.topic = topic_;
    message.offset = static_cast<int64_t>(line_) - 1;
    message.value = std::move(line);
    return std::optional(std::move(message));
  }
  return std::optional<LineMessage>();
}

Result<LineMessage> MessageLines::parse_object(const std::string& line) {
  const std::string padded = line + "\n" + std::string(kcat::KcatLine::kPadding, '\0');
  const auto offset = static_cast<int64_t>(line_) - 1;
  kcat::KcatLine& reader = reader_->line;
  auto batch = std::make_unique<sdk::MessageBatch>(reader_->pool, nullptr, 0, 0);
  reader.presume(topic_, offset);
  if (!reader.locate({padded.data(), line.size()}) || !reader.decode(*batch)) {
    return make_error(CDCRT_BAD_RECORD, "line " + std::to_string(line_) + " is no message: " + reader.problem(),
                      "a line of this layout is {\"topic\": ..., \"partition\": 0, \"offset\": 7, \"key\": ..., \"payload\": ...}");
  }
  const auto bytes_of = [](cdcrt_string bytes) {
    return bytes.data == nullptr ? std::nullopt : std::optional<std::string>(sdk::view(bytes));
  };
  const cdcrt_message& read = batch->last();
  LineMessage message;
  message.line = line_;
  message.topic = reader.topic();
  message.partition = reader.partition();
  message.offset = reader.offset();
  message.timestamp_ms = read.timestamp_ms;
  message.key = bytes_of(read.key);
  message.value = bytes_of(read.value);
  for (const cdcrt_header& header : batch->last_headers()) message.headers.emplace_back(sdk::view(header.name), bytes_of(header.value));
  return message;
}

LineBatch::LineBatch(const std::deque<LineMessage>& messages) {
  const auto lend = [](const std::optional<std::string>& bytes) { return bytes ? sdk::borrow(*bytes) : cdcrt_string{}; };
  for (const LineMessage& each : messages) {
    auto& headers = headers_.emplace_back();
    for (const auto& [name, value] : each.headers) headers.push_back({sdk::borrow(name), lend(value)});
    cdcrt_message message{};
    message.key = lend(each.key);
    message.value = lend(each.value);
    message.header_count = static_cast<uint32_t>(headers.size());
    message.headers = headers.data();
    message.offset = each.offset;
    message.timestamp_ms = each.timestamp_ms;
    messages_.push_back(message);
    batch_.bytes += message.key.size + message.value.size;
  }
  batch_.size = sizeof batch_;
  batch_.partition = messages.front().partition;
  batch_.topic = sdk::borrow(messages.front().topic);
  batch_.messages = messages_.data();
  batch_.count = static_cast<uint32_t>(messages_.size());
  batch_.message_size = sizeof(cdcrt_message);
}

}  // namespace cdcrt::cli
