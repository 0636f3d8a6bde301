#include "manifest/column_reader.hpp"

#include <algorithm>

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/composition.hpp"
#include "types/type.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

const std::vector<std::string>& parse_names() {
  // In the order of types::Parse, without kNone.
  static const std::vector<std::string> names = {"epoch_days", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "base64", "hex", "iso8601"};
  return names;
}

const std::vector<std::string>& overflow_names() {
  static const std::vector<std::string> names = {"dead_letter", "truncate", "null", "widen"};
  return names;
}

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

std::optional<cdcrt_type> read_type(const Entry& entry, TableReader& reader) {
  const auto name = read_string(entry.value, reader.field("type"));
  if (!name) return std::nullopt;
  if (const auto type = types::parse_type(*name)) return type;
  std::size_t count = 0;
  const char* const* names = types::type_names(count);
  const std::vector<std::string> known(names, names + count);
  const auto near = diagnostics::nearest(name->substr(0, name->find('(')), known);
  std::string help = near ? "did you mean " + quote(*near) + "?" : "for a type of the target itself use target_type";
  if (near && name->find('(') != std::string::npos) help = "a length stands in parentheses: decimal(12,2), varchar(40)";
  reader.report().error(diagnostics::kBadColumnType, entry.value.position, "unknown type " + shown(entry.value, reader.field("type")),
                        help);
  return std::nullopt;
}

void contradiction(TableReader& reader, const char* key, const std::string& why, const std::string& help = {}) {
  const Entry* entry = reader.take(key);
  reader.report().error(diagnostics::kBadColumnRule, entry == nullptr ? reader.table().position : entry->position, why, help);
}

std::string read_column_text(TableReader& reader, const char* key) {
  const auto text = reader.string(key);
  if (text && text->empty()) {
    refuse_value(reader.take(key)->value, reader.field(key), diagnostics::kBadValue, "must not be empty");
  }
  return text.value_or("");
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
  if (const Entry* type = reader.take("type")) rule.type = read_type(*type, reader);
  if (const auto parse = reader.choice("parse", parse_names())) rule.parse = static_cast<types::Parse>(*parse + 1);
  if (rule.parse != types::Parse::kNone && !rule.type && !reader.table().find("type")) rule.type = implied_type(reader, rule.parse);
  if (const auto policy = reader.choice("on_overflow", overflow_names())) rule.on_overflow = static_cast<types::OnOverflow>(*policy);
  rule.rename = read_column_text(reader, "rename");
  rule.target_type = read_column_text(reader, "target_type");
  rule.exclude = reader.boolean("exclude").value_or(false);
  reader.not_yet("hash");
  reader.finish();

  if (rule.exclude && entry.value.entries.size() > 1) {
    contradiction(reader, "exclude", "column " + quote(entry.key) + " is excluded and has other settings", "keep one of them");
  }
  if (rule.type && !fits(rule.parse, rule.type->kind)) {
    contradiction(
        reader, "parse",
        "parse = " + quote(parse_names()[static_cast<std::size_t>(rule.parse) - 1]) + " does not give a " + types::to_string(*rule.type),
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
