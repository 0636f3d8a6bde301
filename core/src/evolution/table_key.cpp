// The key of a table, and which events cannot be of it at all.
#include <algorithm>
#include <utility>

#include "cdcrt/sdk/status.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::evolution {

namespace {

using diagnostics::quote;

bool names_one_column(const route::ColumnRule& rule) { return rule.pattern.find_first_of("*?") == std::string::npos; }

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return "(" + text + ")";
}

Error misfit(std::string message) {
  return make_error(CDCRT_BAD_RECORD, std::move(message), "exclude or rename the column in the route's columns if it is meant to be there");
}

bool is_reserved(std::string_view names, const std::string& name) {
  return !names.empty() && name.find(' ') == std::string::npos &&
         (" " + std::string(names) + " ").find(" " + name + " ") != std::string::npos;
}

bool is_unkeyable(const cdcrt_limits& limits, cdcrt_type type) {
  if (type.kind == CDCRT_TYPE_ARRAY && type.element != CDCRT_TYPE_UNKNOWN && limits.has_keyable_arrays != 0) {
    return is_unkeyable(limits, types::element_of(type));
  }
  return (limits.unkeyable_types >> type.kind & 1U) != 0;
}

std::vector<std::string> key_of(const route::Route& route, const event::Shape& shape) {
  std::vector<std::pair<uint32_t, std::string>> ordered;
  for (const auto& column : shape.columns) {
    if (column.key_ordinal == 0) continue;
    if ((column.flags & CDCRT_COLUMN_ROUTED) != 0 && rule_for(route, column.name).exclude) continue;
    ordered.emplace_back(column.key_ordinal, column.name);
  }
  std::sort(ordered.begin(), ordered.end());
  std::vector<std::string> names;
  for (auto& [ordinal, name] : ordered) names.push_back(std::move(name));
  return names;
}

// What the manifest says of the key of rows of this shape; empty: nothing.
const std::vector<std::string>& manifest_key(const route::Route& route, const event::Shape& shape) {
  static const std::vector<std::string> kNone;
  if (!route.primary_key.empty()) return route.primary_key;
  const bool has_key =
      shape.keyed && std::any_of(shape.columns.begin(), shape.columns.end(), [](const auto& column) { return column.key_ordinal > 0; });
  return has_key ? kNone : route.fallback_key;
}

}  // namespace

// What definitions alone have named so far may still be otherwise in rows.
bool TableKnowledge::established() const {
  const bool is_stored = restored_ && std::any_of(columns_.begin(), columns_.end(), [](const Column& column) {
                           return !column.typed_by_route && column.type.kind != CDCRT_TYPE_UNKNOWN;
                         });
  return is_stored || forgot_maps_ || maps_.size() > 1;
}

bool TableKnowledge::may_hold(uint32_t slot, cdcrt_type type) const {
  const Column& column = columns_[slot];
  return column.key_ordinal == 0 || !column.target_type.empty() || !is_unkeyable(limits_, types::join(column.type, type));
}

// One event must not stop its table for good: what the target cannot hold in its definition is refused with the event.
Result<void> TableKnowledge::check_shape(const event::Shape& shape, bool definition) const {
  if (!keyed_) return {};
  std::size_t added = 0;
  for (const auto& column : shape.columns) {
    const route::ColumnRule rule = rule_for(*route_, column.name);
    if (rule.exclude) continue;
    const auto known = slots_.find(column.name);
    const bool is_new = known == slots_.end() || columns_[known->second].type.kind == CDCRT_TYPE_UNKNOWN;
    const auto& names = manifest_key(*route_, shape);
    const bool is_key = route_->mode != route::Mode::kAppend &&
                        (names.empty() ? column.key_ordinal > 0 : std::find(names.begin(), names.end(), column.name) != names.end());
    if (is_key && shape.declared && !rule.type && rule.target_type.empty() && is_unkeyable(limits_, column.type)) {
      return make_error(CDCRT_BAD_RECORD,
                        "column " + quote(column.name) + " of the key is of type " + types::to_string(column.type) +
                            ", of which the target can make no key",
                        "give the column a type in the route's columns, or the route another primary_key");
    }
    if (definition && shape.declared && !shape.keyed && column.type.kind == CDCRT_TYPE_UNKNOWN) continue;
    if (!is_new || (established() && route_->schema_changes == route::SchemaChanges::kIgnore)) continue;
    const std::string& name = rule.rename.empty() ? column.name : rule.rename;
    if (name.empty()) return misfit("the event has a column without a name");
    if (name.find('\0') != std::string::npos) return misfit("the name of column " + quote(name) + " holds a NUL character");
    if (limits_.name_bytes > 0 && name.size() > limits_.name_bytes) {
      return misfit("the name of column " + quote(name) + " has " + std::to_string(name.size()) + " bytes, the target allows " +
                    std::to_string(limits_.name_bytes));
    }
    if (is_reserved(sdk::view(limits_.reserved_names), name))
      return misfit("the target keeps the name of column " + quote(name) + " to itself");
    if (known == slots_.end()) ++added;
  }
  if (limits_.columns > 0 && columns_.size() + added > limits_.columns && added > 0) {
    return make_error(CDCRT_BAD_RECORD,
                      "with " + std::to_string(added) + " new columns of the event the table would have " +
                          std::to_string(columns_.size() + added) + ", the target allows " + std::to_string(limits_.columns),
                      "exclude columns in the route's columns");
  }
  return {};
}

// Equal route keys meet in one partition only when the route's key contains the event's, and rows of that one do.
void TableKnowledge::judge_key_partitions(const event::Shape& shape) {
  const bool any = std::any_of(shape.columns.begin(), shape.columns.end(), [](const auto& column) { return column.key_ordinal > 0; });
  if ((any || shape.key_elsewhere) && !shape.key_in_one_partition) key_crosses_partitions_ = true;
  if (key_partitions_judged_) return;
  const auto& names = manifest_key(*route_, shape);
  std::vector<std::string> own;
  for (const auto& column : shape.columns) {
    if (column.key_ordinal == 0) continue;
    own.push_back(column.name);
    const bool left_out = (column.flags & CDCRT_COLUMN_ROUTED) != 0 && rule_for(*route_, column.name).exclude;
    if (names.empty() ? left_out : !is_route_key(column.name)) key_crosses_partitions_ = true;
  }
  if (names.empty() ? any : true) key_partitions_judged_ = true;
  if (!any && !names.empty() && !(shape.key_elsewhere && shape.key_in_one_partition)) key_crosses_partitions_ = true;
  if (any && !key_crosses_partitions_ && own.size() < names.size()) message_key_ = std::move(own);
}

std::vector<uint32_t> TableKnowledge::message_key() const {
  std::vector<uint32_t> slots;
  for (const auto& name : message_key_) {
    const int32_t found = slot_named(name, {});
    if (found < 0 || columns_[static_cast<uint32_t>(found)].key_ordinal == 0) return {};
    slots.push_back(static_cast<uint32_t>(found));
  }
  return slots;
}

bool TableKnowledge::lacks_key(const event::Shape& shape) const {
  return shape.key_elsewhere && !key_known_ && !told_key_ && keyed_ && route_->primary_key.empty() && route_->fallback_key.empty() &&
         route_->mode != route::Mode::kAppend;
}

void TableKnowledge::restore_told_keyless() {
  if (!told_key_) told_key_.emplace();
}

// Of several definitions the first that names columns counts: what the table is told later is a change of its key.
bool TableKnowledge::tell_key(const event::Shape& shape) {
  if (!shape.keyed || key_known_ || !keyed_ || route_->mode == route::Mode::kAppend) return false;
  if (!route_->primary_key.empty() || !route_->fallback_key.empty()) return false;
  if (told_key_ && !told_key_->empty()) return false;
  std::vector<std::string> names = key_of(*route_, shape);
  if (told_key_ && names.empty()) return false;
  told_key_ = std::move(names);
  ++version_;
  return true;
}

// With the columns alone: what was refused may be the type of one of them, or another column.
void TableKnowledge::keep_told_key() {
  if (key_known_ || !told_key_ || told_key_->empty()) return;
  event::Shape key;
  for (const auto& name : *told_key_) {
    if (rule_for(*route_, name).exclude) return;
    if (const auto told = told_types_.find(name); told != told_types_.end() && is_unkeyable(limits_, told->second.type))
      told_types_.erase(told);
    key.columns.emplace_back().name = name;
  }
  if (!check_shape(key, true)) return;
  std::vector<uint32_t> slots;
  for (const auto& column : key.columns) {
    const auto slot = slot_for(key, column, {}, false, true);
    if (!slot || *slot < 0) return;
    slots.push_back(static_cast<uint32_t>(*slot));
  }
  set_key(std::move(slots));
}

Result<void> TableKnowledge::observe_key(const event::Shape& shape, std::string_view order, bool definition) {
  // Every change is a row of its own there.
  if (route_->mode == route::Mode::kAppend) {
    key_known_ = true;
    return {};
  }
  if (!definition || shape.keyed) judge_key_partitions(shape);
  const auto& own_key = manifest_key(*route_, shape);
  const bool by_route = !own_key.empty();
  // Some event of a table that tells its key may lack it.
  if (key_known_ && route_->primary_key.empty() && !shape.keyed && !shape.key_elsewhere) return {};
  const bool is_told = shape.key_elsewhere && told_key_ && !key_known_;
  if (!by_route && !shape.keyed && !is_told) return {};
  const std::vector<std::string> names = by_route ? own_key : shape.keyed ? key_of(*route_, shape) : *told_key_;
  if (keyed_ && !by_route && !key_known_ && (is_told || shape.key_for_others)) {
    for (const auto& name : names) {
      if (!rule_for(*route_, name).exclude) continue;
      return make_error(
          CDCRT_BAD_CONFIG,
          "the key of the table is " + joined(names) + ", as its definition tells it, and the route's columns exclude " + quote(name),
          "take the exclude away, or give the route a primary_key of other columns, and start cdcrt again");
    }
  }
  // The first event may be the odd one: its key without columns makes no keyless table of one that has a key. A definition's does.
  if (!key_known_ && names.empty()) {
    if (!is_told) return {};
    key_known_ = true;
    ++version_;
    return {};
  }
  if (key_known_) {
    std::vector<std::string> known;
    for (const uint32_t slot : key_) known.push_back(columns_[slot].source_name);
    // The columns are the key; their order is the table's, whatever a message says.
    const auto is_of_key = [&](const std::string& name) {
      if (by_route) return is_route_key_of(name, key_);
      const int32_t slot = slot_named(name, order);
      return slot >= 0 && std::find(key_.begin(), key_.end(), static_cast<uint32_t>(slot)) != key_.end();
    };
    if ((names.size() == known.size() && std::all_of(names.begin(), names.end(), is_of_key)) || !keyed_) return {};
    if (by_route) {
      return make_error(CDCRT_UNSUPPORTED,
                        (route_->primary_key.empty() ? "the key by rule " + quote(route_->key_rule) + " of primary_keys is "
                                                     : std::string("the route's primary_key is ")) +
                            joined(names) + ", and the table was made with the key " + joined(known),
                        "take that back, or read the table anew: cdcrt progress rewind --to earliest --empty");
    }
    other_key_ = true;
    return make_error(
        CDCRT_BAD_RECORD, "the key of the table changed from " + joined(known) + " to " + joined(names),
        "set the route's primary_key; if the source's key changed, set it and read the table anew: cdcrt progress rewind --to earliest --empty");
  }
  std::vector<uint32_t> slots;
  for (const auto& name : names) {
    int32_t found = slot_named(name, order);
    if (found < 0 && by_route) found = slot_named(name, {});  // by the name that it had
    if (found < 0) return {};                                 // its columns come with a later shape, or this shape is being mapped
    slots.push_back(static_cast<uint32_t>(found));
  }
  set_key(std::move(slots));
  return {};
}

void TableKnowledge::set_key(std::vector<uint32_t> slots) {
  key_ = std::move(slots);
  for (std::size_t i = 0; i < key_.size(); ++i) columns_[key_[i]].key_ordinal = static_cast<uint32_t>(i + 1);
  key_known_ = true;
  ++version_;
}

// An event that carries the whole row and lacks a column of the route's key: no event will have it.
Result<void> TableKnowledge::check_route_key(const event::Shape& shape, bool definite) const {
  if (!definite || !keyed_ || key_known_ || route_->mode == route::Mode::kAppend) return {};
  std::vector<std::string> names;
  for (const auto& column : shape.columns) names.push_back(column.name);
  const std::string told_by = route_->primary_key.empty() ? "rule " + quote(route_->key_rule) + " of primary_keys" : "primary_key";
  for (const auto& name : manifest_key(*route_, shape)) {
    if (rule_for(*route_, name).exclude) {
      return make_error(CDCRT_BAD_CONFIG, told_by + " names column " + quote(name) + ", which the route's columns exclude",
                        "take one of the two away");
    }
    if (std::find(names.begin(), names.end(), name) != names.end() || slot_named(name, {}) >= 0) continue;
    return make_error(CDCRT_BAD_CONFIG, told_by + " names column " + quote(name) + ", which the events of the table do not have",
                      diagnostics::did_you_mean(name, names));
  }
  return {};
}

void TableKnowledge::note_rules(const event::Shape& shape) {
  rules_met_.resize(route_->columns.size());
  for (std::size_t i = 0; i < rules_met_.size(); ++i) {
    if (rules_met_[i]) continue;
    rules_met_[i] = std::any_of(shape.columns.begin(), shape.columns.end(),
                                [&](const auto& column) { return column.name == route_->columns[i].pattern; });
  }
}

std::vector<RuleUse> TableKnowledge::rules() const {
  std::vector<RuleUse> uses;
  for (std::size_t i = 0; i < rules_met_.size(); ++i) {
    const route::ColumnRule& rule = route_->columns[i];
    if (names_one_column(rule)) uses.push_back({&rule, rules_met_[i] || slots_.contains(rule.pattern)});
  }
  return uses;
}

// Before anything is written: a name that is a slip of the finger away from one that is there. Other names may belong to columns that come
// with a later event, and are judged when all was read.
Result<void> TableKnowledge::check_rules(const event::Shape& shape, bool definite) {
  if (!definite || restored_ || std::exchange(rules_judged_, true) || !route_->names_one_table()) return {};
  std::vector<std::string> free;
  for (const auto& column : shape.columns) {
    const bool named =
        std::any_of(route_->columns.begin(), route_->columns.end(), [&](const auto& rule) { return rule.pattern == column.name; });
    if (!named) free.push_back(column.name);
  }
  for (const RuleUse& use : rules()) {
    if (use.met || use.rule->of_defaults) continue;
    for (const std::string& name : free) {
      if (!diagnostics::is_slip(use.rule->pattern, name)) continue;
      return make_error(CDCRT_BAD_CONFIG,
                        "the route's columns name " + quote(use.rule->pattern) + ", which the events of the table do not have",
                        "did you mean " + quote(name) +
                            "? If the column comes with a later event, write its name as a pattern: " + quote(use.rule->pattern + "*"));
    }
  }
  return {};
}

}  // namespace cdcrt::evolution
