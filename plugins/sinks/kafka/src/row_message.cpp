#include "row_message.hpp"

#include <rapidjson/document.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/calendar_write.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka_sink {
namespace {

std::string text_of(const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_BOOL: return cell.value.integer != 0 ? "true" : "false";
    case CDCRT_U64: return std::to_string(cell.value.natural);
    case CDCRT_F64: {
      std::array<char, 40> text{};
      (void)std::snprintf(text.data(), text.size(), "%.17g", cell.value.real);
      return text.data();
    }
    case CDCRT_I64:
    case CDCRT_DATE:
    case CDCRT_TIME:
    case CDCRT_TIMESTAMP:
    case CDCRT_TIMESTAMPTZ: return std::to_string(cell.value.integer);
    default: return {cell.value.data, cell.size};
  }
}

std::optional<std::string> side(const rapidjson::Value& json) {
  if (json.IsString()) return std::string(json.GetString(), json.GetStringLength());
  if (json.IsObject() && json.HasMember("base64") && json["base64"].IsString()) {
    return sdk::decode_base64({json["base64"].GetString(), json["base64"].GetStringLength()});
  }
  return std::nullopt;
}

bool append_headers(std::string_view text, RowMessage& message) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.HasParseError() || !json.IsArray()) return false;
  for (const auto& pair : json.GetArray()) {
    if (!pair.IsArray() || pair.Size() != 2) return false;
    message.headers.emplace_back(side(pair[0]).value_or(""), side(pair[1]));
  }
  return true;
}

}  // namespace

RowMessage message_of(const cdcrt_write& write, uint64_t row) {
  RowMessage message;
  for (uint32_t i = 0; i < write.column_count; ++i) {
    const cdcrt_cell& cell = write.cells[row * write.column_count + i];
    if (cell.tag <= CDCRT_NULL) continue;
    const std::string_view name = sdk::view(write.columns[i].name);
    if (name == "key") {
      message.key = text_of(cell);
    } else if (name == "value") {
      message.value = text_of(cell);
    } else if (name == "timestamp" && cell.tag == CDCRT_TIMESTAMPTZ) {
      message.timestamp_ms = cell.value.integer / 1000;
    } else if (name != "headers" || !append_headers({cell.value.data, cell.size}, message)) {
      message.headers.emplace_back("cdcrt." + std::string(name), text_of(cell));
    }
  }
  return message;
}

}  // namespace cdcrt::kafka_sink
