// Names that the operator may have meant. Header-only, C++17.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::sdk {
namespace detail {

/// Insertions, deletions, replacements and swaps of neighbours between two names.
inline size_t slips(std::string_view a, std::string_view b) {
  std::vector<size_t> two_up, above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], two_up[j - 2] + 1);
    }
    two_up = above;
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace detail

/// Those of `known` that are a slip of the finger away from `name`, nearest first, at most `max_names`. Any thread.
inline std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& known, size_t max_names = 3) {
  const size_t allowed = std::max<size_t>(1, std::min<size_t>(3, name.size() / 4));
  std::vector<std::pair<size_t, std::string>> near;
  for (const auto& candidate : known) {
    if (candidate == name || candidate.size() > name.size() + allowed || name.size() > candidate.size() + allowed) continue;
    const size_t steps = detail::slips(name, candidate);
    if (steps <= allowed) near.emplace_back(steps, candidate);
  }
  std::sort(near.begin(), near.end());
  if (near.size() > max_names) near.resize(max_names);
  std::vector<std::string> names;
  for (auto& [steps, candidate] : near) names.push_back(std::move(candidate));
  return names;
}

/// "did you mean 'a' or 'b'?", empty where nothing is near.
inline std::string did_you_mean(const std::vector<std::string>& near) {
  std::string text;
  for (size_t i = 0; i < near.size(); ++i) {
    text += i == 0 ? "did you mean '" : i + 1 == near.size() ? " or '" : ", '";
    text += near[i] + "'";
  }
  return text.empty() ? text : text + "?";
}

}  // namespace cdcrt::sdk
