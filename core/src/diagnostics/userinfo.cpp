#include "diagnostics/userinfo.hpp"

#include <algorithm>

namespace cdcrt::diagnostics {
namespace {

constexpr std::string_view kScheme = "://";

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r'; }

bool is_quote(char letter) { return letter == '"' || letter == '\''; }
/// Whether a quote opens a text there; elsewhere it belongs to a word, or to a password.
bool opens_after(char letter) { return letter == '(' || letter == '[' || letter == '{' || letter == '=' || letter == ',' || letter == ':'; }

/// End of the quoted text that begins behind `begin`, or of the whole text.
std::size_t end_of_quoted(std::string_view text, std::size_t begin) {
  std::size_t i = begin + 1;
  while (i < text.size() && text[i] != text[begin]) i += text[i] == '\\' && text[begin] == '"' ? 2 : 1;
  return std::min(i, text.size());
}

/// Of text[begin, end): up to its last '@', since a password may hold whatever an address is made of.
void find_in(std::string_view text, std::size_t begin, std::size_t end, Addresses which,
             std::vector<std::pair<std::size_t, std::size_t>>& found) {
  const std::string_view part = text.substr(begin, end - begin);
  const std::size_t at = part.rfind('@');
  if (at == std::string_view::npos) return;
  const std::size_t scheme = part.substr(0, at).find(kScheme);
  if (scheme != std::string_view::npos) {
    const std::size_t user = scheme + kScheme.size();
    const std::size_t delimiter = part.find_first_of("/:@?", user);  // https://host/name@version names nobody
    const bool in_path = part[delimiter] == '/' || part[delimiter] == '?';
    if (user < at && (which == Addresses::kAny || !in_path)) found.emplace_back(begin + user, begin + at);
  } else if (which == Addresses::kAny && part.substr(0, at).find(':') != std::string_view::npos) {
    found.emplace_back(begin, begin + at);
  }
}

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> find_userinfo(std::string_view text, Addresses which) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  if (text.find('@') == std::string_view::npos) return found;
  for (std::size_t i = 0; i < text.size();) {
    if (is_blank(text[i])) {
      ++i;
    } else if (is_quote(text[i])) {
      const std::size_t end = end_of_quoted(text, i);
      find_in(text, i + 1, end, which, found);
      i = end + 1;
    } else {
      std::size_t end = i;
      while (end < text.size() && !is_blank(text[end]) && !(is_quote(text[end]) && opens_after(text[end - (end > i ? 1 : 0)]))) ++end;
      find_in(text, i, end, which, found);
      i = end;
    }
  }
  return found;
}

std::string address_without_userinfo(std::string value, Addresses which) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  find_in(value, 0, value.size(), which, found);
  for (const auto& [begin, end] : found) value.replace(begin, end - begin, "***");
  return value;
}

std::string without_userinfo(std::string text, Addresses which) {
  const auto found = find_userinfo(text, which);
  for (auto each = found.rbegin(); each != found.rend(); ++each) text.replace(each->first, each->second - each->first, "***");
  return text;
}

}  // namespace cdcrt::diagnostics
