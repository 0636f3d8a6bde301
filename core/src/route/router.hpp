// Router: from a source table to its route and its target table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "route/pattern.hpp"
#include "route/settings.hpp"
#include "route/target_template.hpp"

namespace cdcrt::route {

/// A source table by its full name; of which server, where that is known.
struct SourceName {
  std::string name, server;
};

/// The error for two source tables that would share one target, without being asked to.
Error tables_meet(const SourceName& first, const SourceTable& second, const std::string& target, const std::string& sink,
                  bool target_has_schemas);

/// Built from checked settings, which must outlive it. Any thread. Answers are worth caching per table: a call compiles
/// nothing but walks every pattern.
class Router {
 public:
  explicit Router(const Routing& routing);
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// The most specific route that matches: exact patterns first, then most literal characters, then regular expressions.
  /// Without any route: the defaults, for every table. nullptr: unmatched, to be ignored and counted.
  /// Its fallback_key is the table's own, by the most specific of the key rules.
  /// BAD_CONFIG: two routes or rules tie, or the table is unmatched and the settings say `unmatched_tables = "fail"`.
  [[nodiscard]] Result<const Route*> route(const SourceTable& table) const;

  /// The table's name in the target: by the route's template, else its own (schema.table; database.table where the source has no
  /// schemas) or, where the target has no schemas, the table alone. Remembers who got which name: BAD_CONFIG with advice where
  /// another source table already has it and not both of their routes name their target themselves.
  Result<TargetTable> target_for(const Route& route, const SourceTable& table, bool target_has_schemas);

  /// Takes back what target_for() answered: the target stores that the name belongs to another source table.
  void disown(const Route& route, const TargetTable& target, bool target_has_schemas);

  /// As if no table had asked target_for() yet.
  void disown_all();

  /// A pattern of a route, and whether a table met it.
  struct PatternUse {
    const Route* route;
    bool is_except;
    std::string pattern;
    bool met;
    std::string advice;  ///< unmet: a table's name that is near to it
  };
  /// Notes that the table exists: patterns and key rules that match its name count as met.
  void note(const SourceTable& table);
  /// Every pattern, in the order of the manifest; judged by the tables given to note().
  [[nodiscard]] std::vector<PatternUse> uses() const;

  /// A key rule, and whether a table met it.
  struct KeyRuleUse {
    const KeyRule* rule;
    bool met;
    std::string advice;
  };
  [[nodiscard]] std::vector<KeyRuleUse> key_rule_uses() const;

  /// How `route` was found, for people: the pattern that matched; empty: matched by default.
  [[nodiscard]] std::string matching_pattern(const Route& route, const SourceTable& table) const;

 private:
  [[nodiscard]] Result<const Route*> with_key(const Route& route, const SourceTable& table) const;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cdcrt::route
