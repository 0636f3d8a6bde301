#include "debezium/json_scan.hpp"

#include <cstdint>
#include <cstring>

namespace cdcrt::debezium {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::size_t skip_string(std::string_view text, std::size_t quote) {
  for (std::size_t i = quote + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return kNone;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// `"name" :` at `begin`; leaves `begin` at the value.
bool take_name(std::string_view text, std::size_t& begin, std::string_view& name) {
  begin = skip_space(text, begin);
  if (begin >= text.size() || text[begin] != '"') return false;
  const std::size_t end = skip_string(text, begin);
  if (end == kNone) return false;
  name = text.substr(begin + 1, end - begin - 2);
  begin = skip_space(text, end);
  if (begin >= text.size() || text[begin] != ':') return false;
  begin = skip_space(text, begin + 1);
  return begin < text.size();
}

/// Bytes of the multi-byte character at `at`; 0 when it is malformed.
std::size_t sequence_length(const unsigned char* bytes, std::size_t size, std::size_t at) {
  const unsigned char lead = bytes[at];
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || at + length > size || bytes[at + 1] < low || bytes[at + 1] > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((bytes[at + i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::size_t skip_space(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_space(text[begin])) ++begin;
  return begin;
}

std::size_t skip_value(std::string_view text, std::size_t begin) {
  if (begin >= text.size()) return kNone;
  if (text[begin] == '"') return skip_string(text, begin);
  if (text[begin] != '{' && text[begin] != '[') {
    std::size_t end = begin;
    while (end < text.size() && text[end] != ',' && text[end] != '}' && text[end] != ']' && !is_space(text[end])) ++end;
    return end;
  }
  std::size_t depth = 0;
  for (std::size_t i = begin; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = skip_string(text, i);
      if (i == kNone) return kNone;
      continue;
    }
    ++i;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i;
  }
  return kNone;
}

std::optional<ConverterMessage> split_converter_message(std::string_view text) {
  std::size_t at = skip_space(text, 0);
  if (at >= text.size() || text[at] != '{') return std::nullopt;
  ++at;
  ConverterMessage parts;
  std::string_view first;
  for (int member = 0; member < 2; ++member) {
    std::string_view name;
    if (!take_name(text, at, name)) return std::nullopt;
    const std::size_t end = skip_value(text, at);
    if (end == kNone) return std::nullopt;
    const std::string_view value = text.substr(at, end - at);
    if (name == first) return std::nullopt;
    first = name;
    if (name == "schema") {
      if (value != "null" && value.front() != '{') return std::nullopt;
      parts.schema = value;
    } else if (name == "payload") {
      parts.payload = value;
      if (member == 1) parts.prefix = at;
    } else {
      return std::nullopt;
    }
    at = skip_space(text, end);
    if (at >= text.size() || text[at] != (member == 0 ? ',' : '}')) return std::nullopt;
    ++at;
  }
  if (skip_space(text, at) != text.size()) return std::nullopt;
  return parts;
}

std::size_t find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t at = 0;
  while (at < size) {
    while (at + 32 <= size) {
      uint64_t words[4];
      std::memcpy(words, bytes + at, sizeof words);
      if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080ULL) != 0) break;
      at += 32;
    }
    const std::size_t stop = at + 32 < size ? at + 32 : size;
    while (at < stop) {
      if (bytes[at] < 0x80) {
        ++at;
        continue;
      }
      const std::size_t length = sequence_length(bytes, size, at);
      if (length == 0) return at;
      at += length;
    }
  }
  return kNone;
}

}  // namespace cdcrt::debezium
