#include "debezium/json_scan.hpp"

#include "cdcrt/sdk/json_scan.hpp"

namespace cdcrt::debezium {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// `"name" :` at `begin`; leaves `begin` at the value.
bool take_name(std::string_view text, std::size_t& begin, std::string_view& name) {
  begin = sdk::skip_json_space(text, begin);
  if (begin >= text.size() || text[begin] != '"') return false;
  const std::size_t end = sdk::skip_json_string(text, begin);
  if (end == kNone) return false;
  name = text.substr(begin + 1, end - begin - 2);
  begin = sdk::skip_json_space(text, end);
  if (begin >= text.size() || text[begin] != ':') return false;
  begin = sdk::skip_json_space(text, begin + 1);
  return begin < text.size();
}

}  // namespace

std::optional<ConverterMessage> split_converter_message(std::string_view text) {
  std::size_t at = sdk::skip_json_space(text, 0);
  if (at >= text.size() || text[at] != '{') return std::nullopt;
  ++at;
  ConverterMessage parts;
  std::string_view first;
  for (int member = 0; member < 2; ++member) {
    std::string_view name;
    if (!take_name(text, at, name)) return std::nullopt;
    const std::size_t end = sdk::skip_json_value(text, at);
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
    at = sdk::skip_json_space(text, end);
    if (at >= text.size() || text[at] != (member == 0 ? ',' : '}')) return std::nullopt;
    ++at;
  }
  if (sdk::skip_json_space(text, at) != text.size()) return std::nullopt;
  return parts;
}

}  // namespace cdcrt::debezium
