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

Result<void> headers_of(const Json& list, StoredDeadLetter& letter) {
  if (!list.IsArray()) return not_ours("headers are no list");
  for (const auto& pair : list.GetArray()) {
    if (!pair.IsArray() || pair.Size() != 2) return not_ours("a header is no pair");
    auto name = bytes_of(pair[0]), value = bytes_of(pair[1]);
    if (!name) return std::move(name.error());
    if (!value) return std::move(value.error());
    letter.headers.emplace_back(name->value_or(""), std::move(*value));
  }
  return {};
}

}  // namespace

DeadLetter make_dead_letter(const progress::Partition& partition, const cdcrt_message& message, const std::string& sink,
                            const std::string& table, const std::string& reason, const Error& error) {
  DeadLetter letter;
  letter.reason = reason;
  letter.message = explain(error);
  letter.source = partition.source();
  letter.topic = partition.topic();
  letter.partition = partition.number();
  letter.offset = message.offset;
  letter.sink = sink;
  letter.table = table;
  letter.raw = &message;
  return letter;
}

std::string id_of(const DeadLetter& letter) {
  std::string id = letter.source + "/" + letter.topic + "/" + std::to_string(letter.partition) + "/" + std::to_string(letter.offset);
  if (!letter.table.empty()) id += "/" + letter.sink + "/" + letter.table;
  return id;
}

StoredDeadLetter stored(const DeadLetter& letter) {
  StoredDeadLetter kept;
  kept.id = id_of(letter);
  kept.reason = letter.reason;
  kept.message = letter.message;
  kept.source = letter.source;
  kept.topic = letter.topic;
  kept.partition = letter.partition;
  kept.offset = letter.offset;
  kept.sink = letter.sink;
  kept.table = letter.table;
  kept.decoded_row = letter.decoded_row;
  if (letter.raw == nullptr) return kept;
  kept.has_raw = true;
  kept.timestamp_ms = letter.raw->timestamp_ms;
  kept.key = owned(letter.raw->key);
  kept.value = owned(letter.raw->value);
  for (uint32_t i = 0; i < letter.raw->header_count; ++i) {
    kept.headers.emplace_back(owned(letter.raw->headers[i].name).value_or(""), owned(letter.raw->headers[i].value));
  }
  return kept;
}

std::string headers_to_json(const StoredDeadLetter& letter) {
  std::string out = "[";
  for (const auto& [name, value] : letter.headers) {
    out += out.size() > 1 ? ",[" : "[";
    append_bytes(out, name);
    out += ',';
    append_bytes(out, value);
    out += ']';
  }
  return out + "]";
}

std::string to_json(const StoredDeadLetter& letter) {
  std::string out;
  // Growing step by step a large one would stand twice.
  const std::size_t value = letter.value ? letter.value->size() : 0;
  constexpr std::size_t kLarge = 1 << 20;
  if (value >= kLarge) out.reserve(value + value / 8 + kLarge);
  out += "{\"id\":";
  out += diagnostics::json_string(letter.id);
  append_member(out, "reason", letter.reason);
  append_member(out, "message", letter.message);
  append_member(out, "source", letter.source);
  append_member(out, "topic", letter.topic);
  out += ",\"partition\":" + std::to_string(letter.partition) + ",\"offset\":" + std::to_string(letter.offset);
  append_member(out, "sink", letter.sink);
  append_member(out, "table", letter.table);
  if (letter.has_raw) {
    out += ",\"timestamp_ms\":" + std::to_string(letter.timestamp_ms);
    out += ",\"key\":";
    append_bytes(out, letter.key);
    out += ",\"value\":";
    append_bytes(out, letter.value);
    out += ",\"headers\":" + headers_to_json(letter);
  } else {
    append_member(out, "decoded_row", letter.decoded_row);
  }
  out += "}\n";
  return out;
}

Result<StoredDeadLetter> from_json(std::string_view line) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(line.data(), line.size());
  if (json.HasParseError() || !json.IsObject()) return not_ours("no JSON object");
  StoredDeadLetter letter;
  letter.id = text_at(json, "id");
  letter.reason = text_at(json, "reason");
  if (letter.id.empty() || letter.reason.empty()) return not_ours("id or reason is missing");
  letter.message = text_at(json, "message");
  letter.source = text_at(json, "source");
  letter.topic = text_at(json, "topic");
  letter.partition = static_cast<int32_t>(integer_at(json, "partition", 0));
  letter.offset = integer_at(json, "offset", 0);
  letter.sink = text_at(json, "sink");
  letter.table = text_at(json, "table");
  letter.decoded_row = text_at(json, "decoded_row");
  letter.timestamp_ms = integer_at(json, "timestamp_ms", -1);
  const auto value = json.FindMember("value"), key = json.FindMember("key"), headers = json.FindMember("headers");
  if (value == json.MemberEnd()) return letter;
  letter.has_raw = true;
  auto bytes = bytes_of(value->value);
  if (!bytes) return std::move(bytes.error());
  letter.value = std::move(*bytes);
  if (key != json.MemberEnd()) {
    bytes = bytes_of(key->value);
    if (!bytes) return std::move(bytes.error());
    letter.key = std::move(*bytes);
  }
  if (headers != json.MemberEnd()) {
    if (auto read = headers_of(headers->value, letter); !read) return std::move(read.error());
  }
  return letter;
}

Result<void> headers_from_json(std::string_view text, StoredDeadLetter& letter) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.HasParseError()) return not_ours("headers are no JSON");
  return headers_of(json, letter);
}

}  // namespace cdcrt::dead_letters
