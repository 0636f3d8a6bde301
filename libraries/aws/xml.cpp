#include "aws/xml.hpp"

#include <charconv>

#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::aws {
namespace {

/// Finds the next element and moves `xml` behind it. An element without an end is none: the answer was cut.
bool next_element(std::string_view& xml, std::string_view name, std::string_view& inside) {
  const std::string open = "<" + std::string(name), close = "</" + std::string(name) + ">";
  for (;;) {
    const std::size_t found = xml.find(open);
    if (found == std::string_view::npos) return false;
    xml.remove_prefix(found + open.size());
    if (xml.empty()) return false;
    const char after = xml.front();
    if (after != '>' && after != ' ' && after != '/' && after != '\n' && after != '\t') continue;
    const std::size_t end = xml.find('>');
    if (end == std::string_view::npos) return false;
    const bool empty = end > 0 && xml[end - 1] == '/';
    xml.remove_prefix(end + 1);
    if (empty) {
      inside = {};
      return true;
    }
    const std::size_t finish = xml.find(close);
    if (finish == std::string_view::npos) return false;
    inside = xml.substr(0, finish);
    xml.remove_prefix(finish + close.size());
    return true;
  }
}

std::string resolve_entities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t ampersand = text.find('&');
    out += text.substr(0, ampersand);
    if (ampersand == std::string_view::npos) break;
    text.remove_prefix(ampersand);
    const std::size_t semicolon = text.find(';');
    const std::string_view name = semicolon == std::string_view::npos ? std::string_view() : text.substr(1, semicolon - 1);
    if (name == "amp") {
      out += '&';
    } else if (name == "lt") {
      out += '<';
    } else if (name == "gt") {
      out += '>';
    } else if (name == "quot") {
      out += '"';
    } else if (name == "apos") {
      out += '\'';
    } else if (name.size() > 1 && name.front() == '#') {
      const bool hex = name[1] == 'x';
      uint32_t letter = 0;
      std::from_chars(name.data() + (hex ? 2 : 1), name.data() + name.size(), letter, hex ? 16 : 10);
      if (letter < 0x110000) sdk::append_utf8(out, letter);
    } else {
      out += '&';
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(semicolon + 1);
  }
  return out;
}

}  // namespace

std::optional<std::string> element_text(std::string_view xml, std::string_view name) {
  std::string_view inside;
  if (!next_element(xml, name, inside)) return std::nullopt;
  return resolve_entities(inside);
}

std::vector<std::string_view> elements(std::string_view xml, std::string_view name) {
  std::vector<std::string_view> found;
  for (std::string_view inside; next_element(xml, name, inside);) found.push_back(inside);
  return found;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    switch (letter) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default: out += letter;
    }
  }
  return out;
}

}  // namespace cdcrt::aws
