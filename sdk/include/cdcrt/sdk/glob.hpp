// Globs of names: * stands for any characters, ? for one. Header-only, C++17.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::sdk {

/// Whether `pattern` is the whole of `text`. `wildcards`: which of * and ? are any; the others stand for themselves. `stars`
/// receives what each * stands for, the first ones as short as they can be. At most pattern times text steps, never recursive.
inline bool glob_matches(std::string_view pattern, std::string_view text, std::string_view wildcards = "*?",
                         std::vector<std::string_view>* stars = nullptr) {
  const bool has_star = wildcards.find('*') != std::string_view::npos;
  const bool has_one = wildcards.find('?') != std::string_view::npos;
  constexpr std::size_t kNone = std::string_view::npos;
  if (stars != nullptr) stars->clear();
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t behind_star = kNone;  // of the last star: only that one ever gives way
  std::size_t begin = 0;
  std::size_t end = 0;
  while (true) {
    if (p < pattern.size() && has_star && pattern[p] == '*') {
      if (stars != nullptr) stars->push_back(text.substr(t, 0));
      behind_star = ++p;
      begin = end = t;
    } else if (p < pattern.size() && t < text.size() && has_one && pattern[p] == '?') {
      ++p;
      do {
        ++t;
      } while (t < text.size() && detail::continues_character(text[t]));
    } else if (p < pattern.size() && t < text.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (p == pattern.size() && t == text.size()) {
      return true;
    } else if (behind_star != kNone && end < text.size()) {
      p = behind_star;
      t = ++end;
      if (stars != nullptr) stars->back() = text.substr(begin, end - begin);
    } else {
      return false;
    }
  }
}

}  // namespace cdcrt::sdk
