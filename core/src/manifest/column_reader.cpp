#include "manifest/column_reader.hpp"

#include <algorithm>

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/composition.hpp"
#include "manifest/host_values.hpp"
#include "manifest/route_options.hpp"
#include "types/type.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

bool is_time(uint8_t kind) {
  return kind == CDCRT_TYPE_DATE || kind == CDCRT_TYPE_TIME || kind == CDCRT_TYPE_TIMETZ || kind == CDCRT_TYPE_TIMESTAMP ||
         kind == CDCRT_TYPE_TIMESTAMPTZ || kind == CDCRT_TYPE_INTERVAL;
}

/// Whether what `parse` reads can become a value of that type at all.
bool fits(types::Parse parse, uint8_t kind) {
  if (kind == CDCRT_TYPE_UNKNOWN || kind == CDCRT_TYPE_STRING) return true;
  switch (parse) {
    case types::Parse::kNone: return true;
    case types::Parse::kBase64:
    case types::Parse::kHex: return !is_time(kind) && kind != CDCRT_TYPE_BOOL && kind != CDCRT_TYPE_ARRAY;
    default: return is_time(kind);
  }
}

std::optional<cdcrt_type> read_type(const std::string& name, TableReader& reader) {
  if (const auto type = types::parse_type(name)) return type;
  std::size_t count = 0;
  const char* const* names = types::type_names(count);
  const Node& entry = reader.take("type")->value;
  const std::vector<std::string> known(names, names + count);
  const auto near = diagnostics::nearest(name.substr(0, name.find('(')), known);
  std::string help = near ? "did you mean " + quote(*near) + "?" : "for a type of the target itself use target_type";
  if (near && name.find('(') != std::string::npos) help = "a length stands in parentheses: decimal(12,2), varchar(40)";
  reader.report().error(diagnostics::kBadColumnType, entry.position, "unknown type " + shown(entry, reader.field("type")), help);
  return std::nullopt;
}

void contradiction(TableReader& reader, const char* key, const std::string& why, const std::string& help = {}) {
  const Entry* entry = reader.take(key);
  reader.report().error(diagnostics::kBadColumnRule, entry == nullptr ? reader.table().position : entry->position, why, help);
}

std::string read_column_text(TableReader& reader, const HostValues& values, const char* key) {
  const auto* text = values.find(key);
  if (text == nullptr) return {};
  if (text->string.empty()) refuse_value(reader.take(key)->value, reader.field(key), diagnostics::kBadValue, "must not be empty");
  return text->string;
}

/// What `parse` alone makes of a value.
std::optional<cdcrt_type> implied_type(TableReader& reader, types::Parse parse) {
  switch (parse) {
    case types::Parse::kEpochDays: return types::type_of(CDCRT_TYPE_DATE);
    case types::Parse::kBase64:
    case types::Parse::kHex: return types::type_of(CDCRT_TYPE_BYTES);
    case types::Parse::kIso8601:
      contradiction(reader, "parse", "parse = 'iso8601' needs a type", "type = \"date\", \"time\", \"timestamp\" or \"timestamptz\"");
      return std::nullopt;
    default: return types::type_of(CDCRT_TYPE_TIMESTAMP);
  }
}

ColumnRule read_rule(const Entry& entry, TableReader& reader) {
  ColumnRule rule;
  rule.pattern = entry.key;
  rule.position = entry.position;
  const HostValues values(reader, column_options());
  if (const auto* type = values.find("type")) rule.type = read_type(type->string, reader);
  std::optional<uint8_t> parse;
  values.take_choice("parse", parse);
  if (parse) rule.parse = static_cast<types::Parse>(*parse + 1);  // its names begin after kNone
  if (rule.parse != types::Parse::kNone && !rule.type && !reader.table().find("type")) rule.type = implied_type(reader, rule.parse);
  std::optional<types::OnOverflow> policy;
  values.take_choice("on_overflow", policy);
  rule.on_overflow = policy.value_or(rule.on_overflow);
  rule.rename = read_column_text(reader, values, "rename");
  rule.target_type = read_column_text(reader, values, "target_type");
  if (const auto* exclude = values.find("exclude")) rule.exclude = exclude->integer != 0;
  reader.finish();

  if (rule.exclude && entry.value.entries.size() > 1) {
    contradiction(reader, "exclude", "column " + quote(entry.key) + " is excluded and has other settings", "keep one of them");
  }
  if (rule.type && !fits(rule.parse, rule.type->kind)) {
    contradiction(reader, "parse", "parse = " + quote(values.find("parse")->string) + " does not give a " + types::to_string(*rule.type),
                  rule.parse == types::Parse::kBase64 || rule.parse == types::Parse::kHex ? "for instance type = \"bytes\""
                                                                                          : "for instance type = \"timestamp\"");
  }
  if (!rule.rename.empty() && is_glob(entry.key)) {
    contradiction(reader, "rename", "pattern " + quote(entry.key) + " renames every column it matches to " + quote(rule.rename),
                  "name the column in full");
  }
  return rule;
}

}  // namespace

std::vector<ColumnRule> read_columns(TableReader& route) {
  std::vector<ColumnRule> rules;
  const Entry* columns = route.take_table("columns");
  if (columns == nullptr) return rules;
  for (const Entry& entry : columns->value.entries) {
    if (!entry.value.is_table()) {
      refuse_value(entry.value, route.field(entry.key), diagnostics::kWrongType,
                   "must be a table, not " + std::string(describe(entry.value.kind)),
                   "for instance " + entry.key + " = { type = \"timestamp\" }");
      continue;
    }
    TableReader reader(entry.value, route.path() + ".columns." + entry.key, route.report());
    ColumnRule rule = read_rule(entry, reader);
    const auto same = std::find_if(rules.begin(), rules.end(),
                                   [&](const ColumnRule& other) { return !rule.rename.empty() && other.rename == rule.rename; });
    if (same != rules.end()) {
      contradiction(reader, "rename",
                    "columns " + quote(same->pattern) + " and " + quote(rule.pattern) + " are both renamed to " + quote(rule.rename));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace cdcrt::manifest
