#include "evolution/column_rules.hpp"

#include <algorithm>

namespace cdcrt::evolution {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

route::ColumnRule rule_for(const route::Route& route, std::string_view column) {
  const route::ColumnRule* best = nullptr;
  std::size_t best_literal = 0;
  for (const auto& rule : route.columns) {
    if (rule.pattern == column) return rule;
    if (!glob_matches(rule.pattern, column)) continue;
    const auto literal =
        static_cast<std::size_t>(std::count_if(rule.pattern.begin(), rule.pattern.end(), [](char c) { return c != '*' && c != '?'; }));
    if (best == nullptr || literal > best_literal) {
      best = &rule;
      best_literal = literal;
    }
  }
  return best != nullptr ? *best : route::ColumnRule{};
}

}  // namespace cdcrt::evolution
