#include "evolution/column_rules.hpp"

#include <algorithm>

#include "cdcrt/sdk/glob.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {
namespace {

bool is_integer(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_UINT64; }
bool is_float(cdcrt_type type) { return type.kind == CDCRT_TYPE_FLOAT32 || type.kind == CDCRT_TYPE_FLOAT64; }

}  // namespace

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

bool is_names_alone(const event::Shape& definition) {
  return definition.declared && !definition.keyed &&
         std::all_of(definition.columns.begin(), definition.columns.end(),
                     [](const auto& column) { return column.type.kind == CDCRT_TYPE_UNKNOWN; });
}

cdcrt_type followed_type(cdcrt_type older, cdcrt_type newer) {
  if (is_float(older) && is_integer(newer)) return older;
  if (is_float(types::element_of(older)) && is_integer(types::element_of(newer))) return older;
  return types::evolve(older, newer);
}

route::ColumnRule rule_of(const route::Route& route, const Column& column) {
  std::vector<std::string> names{column.source_name};
  for (auto former = column.former_names.rbegin(); former != column.former_names.rend(); ++former) names.push_back(former->name);
  for (const std::string& name : names) {
    for (const auto& rule : route.columns) {
      if (rule.pattern == name) return rule;
    }
  }
  route::ColumnRule rule;
  for (const std::string& name : names) {
    rule = rule_for(route, name);
    if (!rule.pattern.empty()) break;
  }
  return rule;
}

}  // namespace cdcrt::evolution
