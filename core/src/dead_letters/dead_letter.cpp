#include "dead_letters/dead_letter.hpp"

#include <rapidjson/document.h>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::dead_letters {
namespace {

// Bytes as produced: text where it is UTF-8, else {"base64": "..."}; null where there were none.
void append_bytes(std::string& out, const std::optional<std::string>& bytes) {
  if (!bytes) {
    out += "null";
  } else if (sdk::is_utf8(*bytes)) {
    out += diagnostics::json_string(*bytes);
  } else {
    out += "{\"base64\":\"" + sdk::encode_base64(*bytes) + "\"}";
  }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  out += diagnostics::json_string(value);
}

std::optional<std::string> owned(cdcrt_string bytes) {
  if (bytes.data == nullptr) return std::nullopt;
  return std::string(sdk::view(bytes));
}

using Json = rapidjson::Value;

Error not_ours(const std::string& what) { return make_error(CDCRT_FATAL, "not a dead letter of cdcrt: " + what); }

std::string text_at(const Json& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return {};
  return {member->value.GetString(), member->value.GetStringLength()};
}

int64_t integer_at(const Json& object, const char* name, int64_t otherwise) {
  const auto member = object.FindMember(name);
  return member == object.MemberEnd() || !member->value.IsInt64() ? otherwise : member->value.GetInt64();
}

Result<std::optional<std::string>> bytes_of(const Json& value) {
  if (value.IsNull()) return std::optional<std::string>();
  if (value.IsString()) return std::optional(std::string(value.GetString(), value.GetStringLength()));
  if (value.IsObject()) {
    if (auto decoded = sdk::decode_base64(text_at(value, "base64"))) return std::optional(std::move(*decoded));
  }
  return not_ours("bytes that are neither text nor base64");
}

Result<void> headers_of(const Json& list, StoredDeadLetter& dead_letter) {
  if (!list.IsArray()) return not_ours("headers are no list");
  for (const auto& pair : list.GetArray()) {
    if (!pair.IsArray() || pair.Size() != 2) return not_ours("a header is no pair");
    auto name = bytes_of(pair[0]), value = bytes_of(pair[1]);
    if (!name) return std::move(name.error());
    if (!value) return std::move(value.error());
    dead_letter.headers.emplace_back(name->value_or(""), std::move(*value));
  }
  return {};
}

}  // namespace

DeadLetter make_dead_letter(const progress::Partition& partition, const cdcrt_message& message, const std::string& sink,
                            const std::string& table, const std::string& reason, const Error& error) {
  DeadLetter dead_letter;
  dead_letter.reason = reason;
  dead_letter.message = explain(error);
  dead_letter.source = partition.source();
  dead_letter.topic = partition.topic();
  dead_letter.partition = partition.number();
  dead_letter.offset = message.offset;
  dead_letter.sink = sink;
  dead_letter.table = table;
  dead_letter.raw = &message;
  return dead_letter;
}

std::string id_of(const DeadLetter& dead_letter) {
  std::string id =
      dead_letter.source + "/" + dead_letter.topic + "/" + std::to_string(dead_letter.partition) + "/" + std::to_string(dead_letter.offset);
  if (!dead_letter.table.empty()) id += "/" + dead_letter.sink + "/" + dead_letter.table;
  return id;
}

StoredDeadLetter stored(const DeadLetter& dead_letter) {
  StoredDeadLetter kept;
  kept.id = id_of(dead_letter);
  kept.reason = dead_letter.reason;
  kept.message = dead_letter.message;
  kept.source = dead_letter.source;
  kept.topic = dead_letter.topic;
  kept.partition = dead_letter.partition;
  kept.offset = dead_letter.offset;
  kept.sink = dead_letter.sink;
  kept.table = dead_letter.table;
  kept.decoded_row = dead_letter.decoded_row;
  if (dead_letter.raw == nullptr) return kept;
  kept.has_raw = true;
  kept.timestamp_ms = dead_letter.raw->timestamp_ms;
  kept.key = owned(dead_letter.raw->key);
  kept.value = owned(dead_letter.raw->value);
  for (uint32_t i = 0; i < dead_letter.raw->header_count; ++i) {
    kept.headers.emplace_back(owned(dead_letter.raw->headers[i].name).value_or(""), owned(dead_letter.raw->headers[i].value));
  }
  return kept;
}

std::string headers_to_json(const StoredDeadLetter& dead_letter) {
  std::string out = "[";
  for (const auto& [name, value] : dead_letter.headers) {
    out += out.size() > 1 ? ",[" : "[";
    append_bytes(out, name);
    out += ',';
    append_bytes(out, value);
    out += ']';
  }
  return out + "]";
}

std::string to_json(const StoredDeadLetter& dead_letter) {
  std::string out;
  // Growing step by step a large one would stand twice.
  const std::size_t value = dead_letter.value ? dead_letter.value->size() : 0;
  constexpr std::size_t kLarge = 1 << 20;
  if (value >= kLarge) out.reserve(value + value / 8 + kLarge);
  out += "{\"id\":";
  out += diagnostics::json_string(dead_letter.id);
  append_member(out, "reason", dead_letter.reason);
  append_member(out, "message", dead_letter.message);
  append_member(out, "source", dead_letter.source);
  append_member(out, "topic", dead_letter.topic);
  out += ",\"partition\":" + std::to_string(dead_letter.partition) + ",\"offset\":" + std::to_string(dead_letter.offset);
  append_member(out, "sink", dead_letter.sink);
  append_member(out, "table", dead_letter.table);
  if (dead_letter.has_raw) {
    out += ",\"timestamp_ms\":" + std::to_string(dead_letter.timestamp_ms);
    out += ",\"key\":";
    append_bytes(out, dead_letter.key);
    out += ",\"value\":";
    append_bytes(out, dead_letter.value);
    out += ",\"headers\":" + headers_to_json(dead_letter);
  } else {
    append_member(out, "decoded_row", dead_letter.decoded_row);
  }
  out += "}\n";
  return out;
}

Result<StoredDeadLetter> from_json(std::string_view line) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
  if (json.HasParseError() || !json.IsObject()) return not_ours("no JSON object");
  StoredDeadLetter dead_letter;
  dead_letter.id = text_at(json, "id");
  dead_letter.reason = text_at(json, "reason");
  if (dead_letter.id.empty() || dead_letter.reason.empty()) return not_ours("id or reason is missing");
  dead_letter.message = text_at(json, "message");
  dead_letter.source = text_at(json, "source");
  dead_letter.topic = text_at(json, "topic");
  dead_letter.partition = static_cast<int32_t>(integer_at(json, "partition", 0));
  dead_letter.offset = integer_at(json, "offset", 0);
  dead_letter.sink = text_at(json, "sink");
  dead_letter.table = text_at(json, "table");
  dead_letter.decoded_row = text_at(json, "decoded_row");
  dead_letter.timestamp_ms = integer_at(json, "timestamp_ms", -1);
  const auto value = json.FindMember("value"), key = json.FindMember("key"), headers = json.FindMember("headers");
  if (value == json.MemberEnd()) return dead_letter;
  dead_letter.has_raw = true;
  auto bytes = bytes_of(value->value);
  if (!bytes) return std::move(bytes.error());
  dead_letter.value = std::move(*bytes);
  if (key != json.MemberEnd()) {
    bytes = bytes_of(key->value);
    if (!bytes) return std::move(bytes.error());
    dead_letter.key = std::move(*bytes);
  }
  if (headers != json.MemberEnd()) {
    if (auto read = headers_of(headers->value, dead_letter); !read) return std::move(read.error());
  }
  return dead_letter;
}

Result<void> headers_from_json(std::string_view text, StoredDeadLetter& dead_letter) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.HasParseError()) return not_ours("headers are no JSON");
  return headers_of(json, dead_letter);
}

}  // namespace cdcrt::dead_letters
