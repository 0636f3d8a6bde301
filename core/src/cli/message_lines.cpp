#include "cli/message_lines.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string_view>
#include <utility>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/json_scan.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::cli {
namespace {

using Json = rapidjson::Value;

const Json* field_of(const Json& object, const char* name, const char* other_name) {
  for (const char* each : {name, other_name}) {
    const auto found = object.FindMember(each);
    if (found != object.MemberEnd()) return &found->value;
  }
  return nullptr;
}

/// What stands behind the first member of that name in `object`, the text of an object that was parsed.
std::string_view raw_member(std::string_view object, std::string_view name) {
  std::size_t at = sdk::skip_json_space(object, object.find('{') + 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t name_end = sdk::skip_json_string(object, at);
    const bool is_wanted = object.substr(at + 1, name_end - at - 2) == name;
    at = sdk::skip_json_space(object, sdk::skip_json_space(object, name_end) + 1);
    const std::size_t end = sdk::skip_json_value(object, at);
    if (is_wanted) return object.substr(at, end - at);
    at = sdk::skip_json_space(object, sdk::skip_json_space(object, end) + 1);
  }
  return {};
}

/// A string, {"base64": "..."}, or JSON that stands for its own text: `raw`, so that numbers keep their digits.
std::optional<std::string> bytes_of(const Json& value, std::string_view raw = {}) {
  if (value.IsNull()) return std::nullopt;
  if (value.IsString()) return std::string(value.GetString(), value.GetStringLength());
  if (value.IsObject() && value.MemberCount() == 1 && value.HasMember("base64") && value["base64"].IsString()) {
    if (auto decoded = sdk::decode_base64({value["base64"].GetString(), value["base64"].GetStringLength()})) return decoded;
  }
  if (!raw.empty()) return std::string(raw);
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  value.Accept(writer);
  return std::string(text.GetString(), text.GetSize());
}

void read_headers(const Json& list, LineMessage& message) {
  if (!list.IsArray()) return;
  const bool is_flat = list.Size() > 0 && !list[0].IsArray();  // kcat: name, value, name, value
  for (rapidjson::SizeType i = 0; i < list.Size(); i += is_flat ? 2 : 1) {
    if (is_flat && i + 1 < list.Size()) {
      message.headers.emplace_back(bytes_of(list[i]).value_or(""), bytes_of(list[i + 1]));
    } else if (!is_flat && list[i].IsArray() && list[i].Size() == 2) {
      message.headers.emplace_back(bytes_of(list[i][0]).value_or(""), bytes_of(list[i][1]));
    }
  }
}

}  // namespace

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
  const auto refuse = [&](const std::string& why) {
    return make_error(CDCRT_BAD_RECORD, "line " + std::to_string(line_) + " is no message: " + why,
                      "a line of this layout is {\"topic\": ..., \"partition\": 0, \"offset\": 7, \"key\": ..., \"payload\": ...}");
  };
  rapidjson::Document json;
  json.Parse(line.data(), line.size());
  if (json.HasParseError()) {
    return refuse(std::string(rapidjson::GetParseError_En(json.GetParseError())) + " (byte " + std::to_string(json.GetErrorOffset()) + ")");
  }
  if (!json.IsObject()) return refuse("not an object");
  const Json* value = field_of(json, "payload", "value");
  if (value == nullptr) return refuse("it has no \"payload\"");
  LineMessage message;
  message.line = line_;
  message.topic = topic_;
  message.offset = static_cast<int64_t>(line_) - 1;
  message.value = bytes_of(*value, raw_member(line, json.HasMember("payload") ? "payload" : "value"));
  if (const Json* key = field_of(json, "key", "key")) message.key = bytes_of(*key, raw_member(line, "key"));
  if (const Json* topic = field_of(json, "topic", "topic"); topic != nullptr && topic->IsString())
    message.topic = bytes_of(*topic).value_or("");
  if (const Json* partition = field_of(json, "partition", "partition"); partition != nullptr && partition->IsInt()) {
    message.partition = partition->GetInt();
  }
  if (const Json* offset = field_of(json, "offset", "offset"); offset != nullptr && offset->IsInt64()) message.offset = offset->GetInt64();
  if (const Json* time = field_of(json, "ts", "timestamp"); time != nullptr && time->IsInt64()) message.timestamp_ms = time->GetInt64();
  if (const Json* headers = field_of(json, "headers", "headers")) read_headers(*headers, message);
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
