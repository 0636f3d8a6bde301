#include "evolution/column_rules.hpp"

#include <algorithm>

#include "cdcrt/sdk/glob.hpp"

namespace cdcrt::evolution {

route::ColumnRule rule_for(const route::Route& route, std::string_view column) {
  const route::ColumnRule* best = nullptr;
  std::size_t best_literal = 0;
  for (const auto& rule : route.columns) {
    if (rule.pattern == column) return rule;
    if (!sdk::glob_matches(rule.pattern, column)) continue;
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
