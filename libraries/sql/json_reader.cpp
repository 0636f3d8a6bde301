#include "sql/json_reader.hpp"

#include <charconv>

#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::sql {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

char JsonReader::next() {
  const auto at = rest_.find_first_not_of(kBlanks);
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  return rest_.empty() ? '\0' : rest_[0];
}

bool JsonReader::take(char c) {
  if (next() != c || rest_.empty()) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonReader::hexadecimal(uint32_t& out) {
  if (rest_.size() < 4) return false;
  const auto parsed = std::from_chars(rest_.data(), rest_.data() + 4, out, 16);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == rest_.data() + 4;
  rest_.remove_prefix(4);
  return whole;
}

bool JsonReader::escape(std::string& out) {
  if (rest_.empty()) return false;
  const char c = rest_[0];
  rest_.remove_prefix(1);
  switch (c) {
    case 'b': out += '\b'; return true;
    case 'f': out += '\f'; return true;
    case 'n': out += '\n'; return true;
    case 'r': out += '\r'; return true;
    case 't': out += '\t'; return true;
    case 'u': break;
    default: out += c; return true;
  }
  uint32_t code = 0;
  if (!hexadecimal(code)) return false;
  if (code >= 0xD800 && code < 0xE000) {
    uint32_t low = 0;
    if (code >= 0xDC00 || rest_.substr(0, 2) != "\\u") return false;
    rest_.remove_prefix(2);
    if (!hexadecimal(low) || low < 0xDC00 || low > 0xDFFF) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  sdk::append_utf8(out, code);
  return true;
}

bool JsonReader::text(std::string& out) {
  out.clear();
  if (!take('"')) return false;
  for (;;) {
    const auto end = rest_.find_first_of("\"\\");
    if (end == std::string_view::npos) return false;
    out.append(rest_.substr(0, end));
    const bool closes = rest_[end] == '"';
    rest_.remove_prefix(end + 1);
    if (closes) return true;
    if (!escape(out)) return false;
  }
}

std::string_view JsonReader::word() {
  next();
  const std::string_view word = rest_.substr(0, rest_.find_first_of(",:]}\"[{ \t\r\n"));
  rest_.remove_prefix(word.size());
  return word;
}

std::string_view JsonReader::nested() {
  const char first = next();
  if (first != '{' && first != '[') return {};
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    const char c = rest_[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      const std::string_view whole = rest_.substr(0, i + 1);
      rest_.remove_prefix(i + 1);
      return whole;
    }
  }
  return {};
}

}  // namespace cdcrt::sql
