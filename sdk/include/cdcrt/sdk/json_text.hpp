// Writing JSON strings. Header-only, C++17.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cdcrt/sdk/hex.hpp"

namespace cdcrt::sdk {

/// What stands between the quotes. Bytes from 0x80 on stay as they are: `text` is UTF-8, or what comes out is no JSON.
inline void append_json_characters(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    if (c == '"' || c == '\\') {
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
    } else {
      out += "u00";
      append_hex(out, c);
    }
  }
  out.append(text, plain, text.size() - plain);
}

/// With its quotes.
inline void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_characters(out, text);
  out += '"';
}

inline std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace cdcrt::sdk
