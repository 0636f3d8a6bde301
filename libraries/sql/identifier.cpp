#include "sql/identifier.hpp"

#include <cstdint>

#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::sql {

std::string shown(std::string_view name) {
  constexpr std::size_t kMax = 120;
  std::string text = "\"";
  for (const char c : name.substr(0, kMax)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  if (name.size() > kMax) text += "...";
  return text += '"';
}

sdk::Status append_identifier(std::string& out, std::string_view name, std::size_t byte_limit, std::string_view what) {
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    return sdk::Status::error(CDCRT_BAD_CONFIG, std::string(what) + " name " + shown(name) + " " + why, hint);
  };
  if (name.empty()) return refuse("is empty", {});
  if (name.find('\0') != std::string_view::npos) return refuse("holds a NUL character", {});
  if (!sdk::is_utf8(name)) return refuse("is not UTF-8", {});
  if (byte_limit != 0 && name.size() > byte_limit) {
    return refuse("is " + std::to_string(name.size()) + " bytes long; the target keeps " + std::to_string(byte_limit),
                  "give it a shorter name in the route (`table = ...`, or `columns.NAME.rename`)");
  }
  out += '"';
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
  return {};
}

void append_literal(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  out += '\'';
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::size_t start = out.size();
  out.resize(start + 2 * bytes.size());
  char* next = out.data() + start;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    *next++ = kDigits[value >> 4];
    *next++ = kDigits[value & 15];
  }
}

}  // namespace cdcrt::sql
