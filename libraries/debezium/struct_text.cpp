#include "debezium/struct_text.hpp"

#include <algorithm>
#include <cstddef>

#include "cdcrt/sdk/json_text.hpp"

namespace cdcrt::debezium {

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

std::string escaped(char c) {
  const std::string quoted = sdk::json_string(std::string_view(&c, 1));
  return quoted.substr(1, quoted.size() - 2);
}

/// Where the text that begins behind the quote at `begin` ends: behind its last quote.
std::size_t end_of_text(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

/// 2024-01-31, 12:34:56.789Z, both with a T between them; no number has one of their signs behind a digit.
bool is_time(std::string_view token) {
  for (std::size_t at = 1; at < token.size(); ++at) {
    const bool follows_digit = token[at - 1] >= '0' && token[at - 1] <= '9';
    if (follows_digit && (token[at] == ':' || token[at] == '-')) return true;
  }
  return false;
}

}  // namespace

StructText json_of_struct_text(std::string_view text) {
  StructText made{{}, false};
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '"') {
      const std::size_t end = end_of_text(text, at + 1);
      for (; at < end; ++at) made.json += is_control(text[at]) ? escaped(text[at]) : std::string(1, text[at]);
      continue;
    }
    // A value begins with a digit or a sign only where it has no quotes; a time has colons, so that it ends at none.
    const bool may_be_time = (text[at] >= '0' && text[at] <= '9') || text[at] == '-';
    const std::size_t end = may_be_time ? std::min(text.find_first_of(",]}", at), text.size()) : at + 1;
    const std::string_view token = text.substr(at, end - at);
    const bool bare = may_be_time && is_time(token);
    made.has_bare_times = made.has_bare_times || bare;
    made.json += bare ? '"' + std::string(token) + '"' : std::string(token);
    at = end;
  }
  return made;
}

}  // namespace cdcrt::debezium
