#include "near_names.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cdcrt::kafka_source {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours between two names.
size_t distance(std::string_view a, std::string_view b) {
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

}  // namespace

std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& known, size_t max_names) {
  const size_t allowed = std::max<size_t>(1, std::min<size_t>(3, name.size() / 4));
  std::vector<std::pair<size_t, std::string>> near;
  for (const auto& candidate : known) {
    if (candidate == name || candidate.size() > name.size() + allowed || name.size() > candidate.size() + allowed) continue;
    const size_t steps = distance(name, candidate);
    if (steps <= allowed) near.emplace_back(steps, candidate);
  }
  std::sort(near.begin(), near.end());
  if (near.size() > max_names) near.resize(max_names);
  std::vector<std::string> names;
  for (auto& [steps, candidate] : near) names.push_back(std::move(candidate));
  return names;
}

std::string did_you_mean(const std::vector<std::string>& near) {
  std::string text;
  for (size_t i = 0; i < near.size(); ++i) {
    text += i == 0 ? "did you mean '" : i + 1 == near.size() ? " or '" : ", '";
    text += near[i] + "'";
  }
  return text.empty() ? text : text + "?";
}

}  // namespace cdcrt::kafka_source
