#include "runtime/matches.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "apply/table.hpp"
#include "diagnostics/text.hpp"
#include "runtime/destinations.hpp"
#include "runtime/sink_runtime.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {
namespace {

using diagnostics::quote;

std::string with_advice(std::string why, const std::string& advice) { return advice.empty() ? why : why + "; " + advice; }

}  // namespace

std::string pattern_entry(const route::Route& route, bool is_except, const std::string& pattern) {
  return "[routes." + route.name + "] " + (is_except ? "except " : "match ") + quote(pattern);
}

std::string column_entry(const std::string& route, const std::string& column, bool of_defaults) {
  return (of_defaults || route == "defaults" ? std::string("[defaults.columns] ") : "[routes." + route + ".columns] ") + quote(column);
}

std::string key_entry(const std::string& pattern, const std::string& file) {
  return pattern.empty() ? "[defaults] primary_keys_file " + quote(file) : "[defaults] primary_keys " + quote(pattern);
}

std::string source_entry(const std::string& source, const std::string& option, const std::string& text) {
  return "[sources." + source + "] " + option + " " + quote(text);
}

std::vector<std::string> entries_of(const manifest::Manifest& manifest) {
  std::vector<std::string> entries;
  const auto add_columns = [&](const route::Route& route) {
    for (const auto& rule : route.columns) entries.push_back(column_entry(route.name, rule.pattern, rule.of_defaults));
  };
  add_columns(manifest.defaults);
  for (const auto& rule : manifest.key_rules) {
    if (!rule.of_file) entries.push_back(key_entry(rule.pattern, {}));
  }
  if (!manifest.key_file.empty()) entries.push_back(key_entry({}, manifest.key_file));
  for (const auto& route : manifest.routes) {
    for (const auto& pattern : route.match) entries.push_back(pattern_entry(route, false, pattern));
    for (const auto& pattern : route.except) entries.push_back(pattern_entry(route, true, pattern));
    add_columns(route);
  }
  for (const auto& source : manifest.sources) {
    for (const auto& value : source.options.values()) {
      for (const auto& text : value.strings) entries.push_back(source_entry(source.name, value.option->key, text));
    }
  }
  return entries;
}

std::vector<Match> route_matches(const Destinations& destinations, const std::vector<std::unique_ptr<SinkRuntime>>& sinks) {
  std::vector<Match> matches;
  for (const auto& use : destinations.pattern_uses()) {
    matches.push_back({use.route->sink, pattern_entry(*use.route, use.is_except, use.pattern), use.met,
                       with_advice("no table came that it means", use.advice)});
  }
  // A file may hold the keys of a whole server: of it one has to be met.
  std::optional<bool> file_met;
  const std::string sink_of_rules = sinks.empty() ? std::string() : sinks.front()->name();
  for (const auto& use : destinations.key_rule_uses()) {
    if (use.rule->of_file) {
      file_met = file_met.value_or(false) || use.met;
    } else {
      matches.push_back({sink_of_rules, key_entry(use.rule->pattern, {}), use.met, with_advice("no table came that it means", use.advice)});
    }
  }
  if (file_met) matches.push_back({sink_of_rules, key_entry({}, destinations.key_file()), *file_met, "no table came that it names"});
  // One of the tables of a route has to have the column.
  struct Column {
    Match match;
    std::string name;
    const apply::Table* table;
  };
  std::map<std::string, Column> columns;
  for (const auto& sink : sinks) {
    for (const apply::Table* table : sink->tables()) {
      for (const auto& use : table->column_uses()) {
        const std::string entry = column_entry(table->identity().route.name, use.name, use.of_defaults);
        Match& match = columns.try_emplace(entry, Column{{sink->name(), entry, false, {}}, use.name, table}).first->second.match;
        match.met = match.met || use.met;
      }
    }
  }
  for (auto& [entry, column] : columns) {
    if (!column.match.met) column.match.why = with_advice("no event had this column", column.table->advice_for(column.name));
    matches.push_back(std::move(column.match));
  }
  return matches;
}

std::vector<Match> source_matches(SourceRuntime& source, const std::string& sink, uint64_t& left_out) {
  std::vector<Match> matches;
  auto survey = source.source().survey();
  if (!survey) return matches;
  left_out += survey->left_out;
  for (const auto& value : source.manifest().options.values()) {
    if (value.option->type != CDCRT_OPTION_LIST) continue;
    const std::string option = value.option->key;
    for (const auto& text : value.strings) {
      const bool met = std::find(survey->unmet.begin(), survey->unmet.end(), std::pair(option, text)) == survey->unmet.end();
      matches.push_back({sink, source_entry(source.name(), option, text), met, "nothing of that name was read"});
    }
  }
  return matches;
}

}  // namespace cdcrt::runtime
