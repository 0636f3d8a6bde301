#include "route/router.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::route {
namespace {

using diagnostics::quote;

struct Compiled {
  const Route* route = nullptr;
  std::vector<Pattern> match, except;
  std::optional<TargetTemplate> target;
  std::optional<Error> broken;  // settings that were not checked
  std::set<std::string> met;    // patterns; guarded by the state's mutex

  void add(const std::vector<std::string>& texts, std::vector<Pattern>& patterns) {
    for (const auto& text : texts) {
      auto pattern = Pattern::parse(text);
      if (pattern) {
        patterns.push_back(std::move(*pattern));
      } else {
        broken = pattern.error();
      }
    }
  }

  explicit Compiled(const Route& compiled) : route(&compiled) {
    add(compiled.match, match);
    add(compiled.except, except);
    if (compiled.table.empty()) return;
    auto parsed = TargetTemplate::parse(compiled.table);
    if (parsed) {
      target = std::move(*parsed);
    } else {
      broken = parsed.error();
    }
  }

  /// The most specific of its patterns that matches, unless an exception does.
  const Pattern* best(const SourceTable& table) const {
    const Pattern* found = nullptr;
    for (const auto& pattern : match) {
      if (pattern.matches(table) && (found == nullptr || pattern.more_specific_than(*found))) found = &pattern;
    }
    if (found == nullptr) return nullptr;
    for (const auto& pattern : except) {
      if (pattern.matches(table)) return nullptr;
    }
    return found;
  }
};

struct CompiledKeyRule {
  const KeyRule* rule;
  Pattern pattern;
  bool met = false;  // guarded by the state's mutex
};

/// A source table without its topic: one table may arrive through several.
using Identity = std::tuple<std::string, std::string, std::string, std::string>;

}  // namespace

struct Router::State {
  const Routing* routing;
  std::vector<Compiled> routes;
  Compiled defaults;
  std::vector<CompiledKeyRule> key_rules;
  std::map<std::string, std::vector<std::size_t>, std::less<>> exact_key_rules;  // by the table's own name: there may be very many
  std::vector<std::size_t> key_globs;
  // Routes with the key of a rule; guarded by mutex, and they stay.
  std::map<std::pair<const Route*, const KeyRule*>, std::unique_ptr<const Route>> keyed_routes;

  struct Owner {
    Identity identity;
    std::string server;  // empty: unknown so far
    std::string name;
    bool intended;
  };
  std::mutex mutex;
  std::set<std::string> names;  // of tables that are there, the first of them; guarded by mutex
  std::map<std::tuple<std::string, std::string, std::string>, Owner> owners;  // (sink, schema, table), guarded by mutex

  explicit State(const Routing& source) : routing(&source), defaults(source.defaults) {
    for (const auto& route : source.routes) routes.emplace_back(route);
    for (const auto& rule : source.key_rules) {
      auto pattern = Pattern::parse(rule.pattern);
      if (!pattern) continue;  // settings that were not checked
      if (pattern->is_exact()) {
        const std::size_t dot = rule.pattern.rfind('.');
        exact_key_rules[dot == std::string::npos ? rule.pattern : rule.pattern.substr(dot + 1)].push_back(key_rules.size());
      } else {
        key_globs.push_back(key_rules.size());
      }
      key_rules.push_back({&rule, std::move(*pattern)});
    }
  }
  const Compiled& compiled(const Route& route) const {
    for (const auto& candidate : routes) {
      // One with the key of a rule is called as the one that it was made of.
      if (candidate.route == &route || candidate.route->name == route.name) return candidate;
    }
    return defaults;
  }
  template <class Visit>
  void visit_key_rules_of(const SourceTable& table, const Visit& visit) {
    const auto visit_all = [&](const std::vector<std::size_t>& indexes) {
      for (const std::size_t index : indexes) {
        if (key_rules[index].pattern.matches(table)) visit(key_rules[index]);
      }
    };
    // A table's name may hold dots itself: its last part is what a pattern ends in.
    const std::size_t dot = table.table.rfind('.');
    const auto exact = exact_key_rules.find(dot == std::string_view::npos ? table.table : table.table.substr(dot + 1));
    if (exact != exact_key_rules.end()) visit_all(exact->second);
    visit_all(key_globs);
  }
};

Router::Router(const Routing& routing) : state_(std::make_unique<State>(routing)) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

Result<const Route*> Router::route(const SourceTable& table) const {
  if (state_->routes.empty()) return with_key(state_->routing->defaults, table);
  const Compiled* found = nullptr;
  const Compiled* rival = nullptr;
  const Pattern* by = nullptr;
  const Pattern* rival_by = nullptr;
  for (const auto& candidate : state_->routes) {
    if (candidate.broken) return *candidate.broken;
    const Pattern* pattern = candidate.best(table);
    if (pattern == nullptr) continue;
    if (found == nullptr || pattern->more_specific_than(*by)) {
      found = &candidate;
      by = pattern;
      rival = nullptr;
    } else if (pattern->as_specific_as(*by)) {
      rival = &candidate;
      rival_by = pattern;
    }
  }
  if (rival != nullptr) {
    return make_error(CDCRT_BAD_CONFIG,
                      "table " + quote(dotted(table)) + " is matched equally well by two routes: [routes." + found->route->name + "] by " +
                          quote(by->text()) + " and [routes." + rival->route->name + "] by " + quote(rival_by->text()),
                      "write the table's full name in the route that is meant, or exclude it from the other with `except`");
  }
  if (found != nullptr) return with_key(*found->route, table);
  if (state_->routing->unmatched_tables == UnmatchedTables::kFail) {
    return make_error(CDCRT_BAD_CONFIG, "no route matches table " + quote(dotted(table)) + ", and unmatched_tables is \"fail\"",
                      "add a route for it, or set unmatched_tables = \"ignore\" in [pipeline]");
  }
  return static_cast<const Route*>(nullptr);
}

Result<const Route*> Router::with_key(const Route& route, const SourceTable& table) const {
  if (!route.primary_key.empty() || route.mode == Mode::kAppend || state_->key_rules.empty()) return &route;
  const CompiledKeyRule* found = nullptr;
  const CompiledKeyRule* rival = nullptr;
  state_->visit_key_rules_of(table, [&](const CompiledKeyRule& candidate) {
    if (found == nullptr || candidate.pattern.more_specific_than(found->pattern)) {
      found = &candidate;
      rival = nullptr;
    } else if (candidate.pattern.as_specific_as(found->pattern) && candidate.rule->columns != found->rule->columns) {
      rival = &candidate;
    }
  });
  if (found == nullptr) return &route;
  if (rival != nullptr) {
    return make_error(CDCRT_BAD_CONFIG,
                      "table " + quote(dotted(table)) + " is matched equally well by two rules of primary_keys, " +
                          quote(found->rule->pattern) + " and " + quote(rival->rule->pattern) + ", which name other columns",
                      "write a rule with the table's full name, or primary_key in its route");
  }
  const std::lock_guard lock(state_->mutex);
  auto& keyed = state_->keyed_routes[{&route, found->rule}];
  if (!keyed) {
    auto made = std::make_unique<Route>(route);
    made->fallback_key = found->rule->columns;
    made->key_rule = found->rule->pattern;
    keyed = std::move(made);
  }
  return keyed.get();
}

void Router::note(const SourceTable& table) {
  constexpr std::size_t kMaxNames = 1000;
  const std::lock_guard lock(state_->mutex);
  for (auto& route : state_->routes) {
    for (const auto* patterns : {&route.match, &route.except}) {
      for (const auto& pattern : *patterns) {
        if (!route.met.contains(pattern.text()) && pattern.matches(table)) route.met.insert(pattern.text());
      }
    }
  }
  state_->visit_key_rules_of(table, [](CompiledKeyRule& rule) { rule.met = true; });
  if (state_->names.size() >= kMaxNames) return;
  for (const std::string_view part : {table.schema, table.database}) {
    if (!part.empty()) state_->names.insert(std::string(part) + "." + std::string(table.table));
  }
  state_->names.insert(std::string(table.table));
  state_->names.insert(dotted(table));
}

std::vector<Router::PatternUse> Router::uses() const {
  std::vector<PatternUse> uses;
  const std::lock_guard lock(state_->mutex);
  const std::vector<std::string> names(state_->names.begin(), state_->names.end());
  for (const auto& route : state_->routes) {
    for (const auto* patterns : {&route.match, &route.except}) {
      for (const auto& pattern : *patterns) {
        PatternUse& use =
            uses.emplace_back(PatternUse{route.route, patterns == &route.except, pattern.text(), route.met.contains(pattern.text()), {}});
        if (use.met || pattern.is_regular_expression()) continue;
        if (const auto near = diagnostics::nearest(pattern.text(), names)) use.advice = "did you mean " + quote(*near) + "?";
      }
    }
  }
  return uses;
}

std::vector<Router::KeyRuleUse> Router::key_rule_uses() const {
  std::vector<KeyRuleUse> uses;
  const std::lock_guard lock(state_->mutex);
  const std::vector<std::string> names(state_->names.begin(), state_->names.end());
  for (const auto& each : state_->key_rules) {
    KeyRuleUse& use = uses.emplace_back(KeyRuleUse{each.rule, each.met, {}});
    if (use.met || each.rule->of_file || each.pattern.is_regular_expression()) continue;
    if (const auto near = diagnostics::nearest(each.rule->pattern, names)) use.advice = "did you mean " + quote(*near) + "?";
  }
  return uses;
}

std::string Router::matching_pattern(const Route& route, const SourceTable& table) const {
  const Pattern* pattern = state_->compiled(route).best(table);
  return pattern == nullptr ? std::string() : pattern->text();
}

Result<TargetTable> Router::target_for(const Route& route, const SourceTable& table, bool target_has_schemas) {
  const Compiled& compiled = state_->compiled(route);
  if (compiled.broken) return *compiled.broken;
  TargetTable target;
  if (compiled.target) {
    std::vector<std::string> captures;
    if (const Pattern* pattern = compiled.best(table)) static_cast<void>(pattern->matches(table, &captures));
    auto expanded = compiled.target->expand(table, captures);
    if (!expanded) return expanded.error();
    target = std::move(*expanded);
  } else {
    if (table.table.empty()) return make_error(CDCRT_BAD_CONFIG, "the event names no table", "give its route a `table`");
    target.table = std::string(table.table);
    if (target_has_schemas) target.schema = std::string(table.schema.empty() ? table.database : table.schema);
  }
  const std::string schema = target_has_schemas ? target.schema : std::string();
  const Identity identity{std::string(table.source), std::string(table.database), std::string(table.schema), std::string(table.table)};
  const std::lock_guard lock(state_->mutex);
  auto [owner, is_new] = state_->owners.try_emplace({route.sink, schema, target.table},
                                                    State::Owner{identity, std::string(table.server), dotted(table), route.names_target});
  if (is_new || (owner->second.intended && route.names_target)) return target;
  std::string& server = owner->second.server;
  const bool same_server = server.empty() || table.server.empty() || server == table.server;
  if (owner->second.identity == identity && same_server) {
    if (server.empty()) server = std::string(table.server);
    return target;
  }
  const std::string name = (schema.empty() ? "" : schema + ".") + target.table;
  return tables_meet({owner->second.name, server}, table, name, route.sink, target_has_schemas);
}

void Router::disown(const Route& route, const TargetTable& target, bool target_has_schemas) {
  const std::lock_guard lock(state_->mutex);
  state_->owners.erase({route.sink, target_has_schemas ? target.schema : std::string(), target.table});
}

void Router::disown_all() {
  const std::lock_guard lock(state_->mutex);
  state_->owners.clear();
}

Error tables_meet(const SourceName& first, const SourceTable& second, const std::string& target, const std::string& sink,
                  bool target_has_schemas) {
  const std::string name = dotted(second);
  const bool same_name = first.name == name;
  const auto told = [&](const std::string& table, std::string_view server) {
    return quote(table) + (same_name && !server.empty() ? " of server " + quote(std::string(server)) : "");
  };
  // Only a placeholder that stands for something else in each of them keeps them apart.
  std::vector<std::string> parts(1);
  for (const char c : first.name) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  const auto part = [&](std::size_t from_end) { return parts.size() > from_end ? parts[parts.size() - 1 - from_end] : std::string(); };
  const std::string dot = target_has_schemas ? "." : "_";
  std::string by;
  if (!second.schema.empty() && part(1) != second.schema) {
    by = "{schema}" + dot + "{table}";
  } else if (!second.database.empty() && part(second.schema.empty() ? 1 : 2) != second.database) {
    by = second.schema.empty() ? "{database}" + dot + "{table}" : "{database}_{schema}" + dot + "{table}";
  }
  std::string apart = "give one of them a route with a `table` of its own";
  if (!by.empty()) apart = "set table = \"" + by + "\" in [defaults] or their route";
  if (same_name) apart = "use {topic} in the `table` of their route, or let two sources of the manifest read them and use {source}";
  return make_error(CDCRT_BAD_CONFIG,
                    "source tables " + told(first.name, first.server) + " and " + told(name, second.server) +
                        " would meet in one target table, " + quote(target) + " of sink " + quote(sink),
                    "to keep them apart " + apart + "; to merge them give one route that matches both its own `table`");
}

}  // namespace cdcrt::route
