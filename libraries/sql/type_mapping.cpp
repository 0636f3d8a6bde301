#include "sql/type_mapping.hpp"

#include <cstdlib>

namespace cdcrt::sql {
namespace {

void replace(std::string& text, std::string_view mark, const std::string& by) {
  const auto at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), by);
}

}  // namespace

cdcrt_type make_type(uint8_t kind, uint32_t length, int16_t scale) {
  cdcrt_type type{};
  type.kind = kind;
  type.length = length;
  type.scale = scale;
  return type;
}

std::string type_name(const TypeMapping& mapping, cdcrt_type type) {
  if (type.kind == CDCRT_TYPE_UNKNOWN) type = make_type(CDCRT_TYPE_STRING);
  if (mapping.arrays && type.kind == CDCRT_TYPE_ARRAY && type.element != CDCRT_TYPE_UNKNOWN && type.element != CDCRT_TYPE_ARRAY) {
    return type_name(mapping, make_type(type.element, type.length, type.scale)) + "[]";
  }
  for (std::size_t i = 0; i < mapping.count; ++i) {
    const TypeRow& row = mapping.rows[i];
    if (row.kind != type.kind) continue;
    const uint32_t max_length = type.kind == CDCRT_TYPE_DECIMAL ? mapping.max_precision : mapping.max_string;
    std::string name = type.length == 0 || type.length > max_length ? row.unbounded : row.bounded;
    replace(name, "{n}", std::to_string(type.length));
    replace(name, "{p}", std::to_string(type.length));
    replace(name, "{s}", std::to_string(type.scale));
    return name;
  }
  return type_name(mapping, make_type(CDCRT_TYPE_STRING));
}

std::string type_table(const TypeMapping& mapping) {
  std::string text = std::string("| type | ") + mapping.dialect + " | |\n|---|---|---|\n";
  for (std::size_t i = 0; i < mapping.count; ++i) {
    const TypeRow& row = mapping.rows[i];
    text += std::string("| ") + row.logical + " | `" + row.bounded + "`";
    if (std::string_view(row.bounded) != row.unbounded) text += std::string(", unbounded `") + row.unbounded + "`";
    text += std::string(" | ") + row.note + " |\n";
  }
  return text;
}

ParsedTypeName parse_type_name(std::string_view raw) {
  ParsedTypeName parsed;
  const auto open = raw.find('(');
  std::string_view rest;
  if (open != std::string_view::npos) {
    const auto close = raw.find(')', open);
    const std::string numbers(raw.substr(open + 1, close == std::string_view::npos ? std::string_view::npos : close - open - 1));
    char* end = nullptr;
    parsed.first = std::strtol(numbers.c_str(), &end, 10);
    if (end != numbers.c_str()) {
      parsed.count = 1;
      while (*end == ' ') ++end;
      if (*end == ',') {
        parsed.second = std::strtol(end + 1, nullptr, 10);
        parsed.count = 2;
      }
    }
    if (close != std::string_view::npos) rest = raw.substr(close + 1);
    raw = raw.substr(0, open);
  }
  for (const std::string_view part : {raw, rest}) {
    for (const char c : part) {
      if (c == ' ' && (parsed.name.empty() || parsed.name.back() == ' ')) continue;
      parsed.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  while (!parsed.name.empty() && parsed.name.back() == ' ') parsed.name.pop_back();
  return parsed;
}

}  // namespace cdcrt::sql
