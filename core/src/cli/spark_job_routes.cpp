#include "cli/spark_job_routes.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"
#include "route/pattern.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::printable;
using diagnostics::quote;

bool is_plain_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_' ||
         letter == '-' || static_cast<unsigned char>(letter) >= 0x80;
}

/// Not a regular expression.
bool is_plain(std::string_view name) { return std::all_of(name.begin(), name.end(), is_plain_letter); }

std::string lower(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

/// A name in a template, in which a brace is doubled.
std::string without_placeholders(std::string_view name) {
  std::string text;
  for (const char letter : name) text += letter == '{' || letter == '}' ? std::string(2, letter) : std::string(1, letter);
  return text;
}

std::string as_route_name(const std::string& text) {
  std::string name;
  for (const char letter : text) name += is_plain_letter(letter) && static_cast<unsigned char>(letter) < 0x80 ? letter : '_';
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name.empty() ? "tables" : name;
}

std::string key_of_column(const std::string& name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return is_plain_letter(letter) && static_cast<unsigned char>(letter) < 0x80;
  });
  return bare ? name : manifest_string(name);
}

/// What stands before '|' and behind it.
std::pair<std::vector<std::string>, std::string> columns_and_format(const std::string& text) {
  const std::size_t bar = text.find('|');
  // The job splits at commas; its document separates columns by colons.
  std::string columns = text.substr(0, bar);
  std::replace(columns.begin(), columns.end(), ':', ',');
  return {split_names(columns), bar == std::string::npos ? "" : text.substr(bar + 1)};
}

/// A format of Java that is a form of ISO 8601 without an offset, or with the letter Z.
bool is_iso_timestamp(const std::string& format) {
  static const std::regex iso("yyyy-MM-dd( |T|'T')HH:mm(:ss([.,]S{1,6})?)?('Z')?");
  return std::regex_match(format, iso);
}

/// A route in the making.
struct RouteLines {
  std::string name;
  std::vector<std::string> match;
  std::string settings;  ///< lines below `match`
  std::vector<std::string> comments;
  bool is_left_out = false;  ///< the whole of it is a comment
  std::string database;      ///< of all its tables
};

class RouteWriter {
 public:
  RouteWriter(const SparkJob& job, const std::string& schema, Findings& file) : job_(job), schema_(schema), file_(file) {}

  std::string write() {
    warn_of_schema();
    find_merged_targets();
    for (std::size_t i = 0; i < job_.tables.size(); ++i) add(job_.tables[i], i);
    warn_of_overlaps();
    // A manifest without routes would take every table.
    if (patterns_.empty() && !job_.tables.empty()) {
      file_.error(diagnostics::kNotYetAvailable, {}, "no table of sync_table_list can be read here yet", "the warnings say why");
    }
    std::string text;
    std::set<std::string> names;
    for (RouteLines& route : routes_) {
      std::string name = route.name;
      for (int number = 2; !names.insert(name).second; ++number) name = route.name + "_" + std::to_string(number);
      text += "\n";
      for (const std::string& comment : route.comments) text += "# " + printable(comment) + "\n";
      const std::string lines = "[routes." + name + "]\nmatch = " + match_list(route.match) + "\n" +
                                (route.settings.empty() ? "" : replaced(route.settings, name));
      text += route.is_left_out ? commented(lines) : lines;
    }
    return text;
  }

 private:
  /// A pattern of two parts meets no table that lies in a schema.
  void warn_of_schema() {
    if (job_.tables.empty()) return;
    if (job_.text("cdc_format") == "DMS-CDC") {
      if (schema_.empty()) return;
      file_.warning(diagnostics::kActsOtherwise, {}, "--schema has no effect for DMS-CDC",
                    "`db` is compared with schema-name of the records, which is the schema of PostgreSQL and the database of MySQL");
      return;
    }
    if (!schema_.empty()) return;
    std::string schema = "SCHEMA";
    for (const std::string& topic : split_names(job_.text("topic"))) {
      for (const SparkJobTable& table : job_.tables) {
        // Debezium's topics end in database.table where there are no schemas, else in schema.table.
        if (topic.ends_with("." + table.database.text + "." + table.table.text)) return;
        if (!topic.ends_with("." + table.table.text)) continue;
        const std::string above = topic.substr(0, topic.size() - table.table.text.size() - 1);
        if (const std::size_t dot = above.rfind('.'); dot != std::string::npos && is_plain(above.substr(dot + 1)))
          schema = above.substr(dot + 1);
      }
    }
    file_.warning(diagnostics::kActsOtherwise, job_.tables.front().database.span,
                  "tables are looked for as database.table, as MySQL has them. Where they lie in schemas, as in PostgreSQL, SQL Server and "
                  "Oracle, none is met and nothing is written",
                  "for such a source import again with --schema " + (schema == "SCHEMA" ? schema + " (public, dbo, ...)" : schema) +
                      ", or --schema '*' for all schemas");
  }

  /// What looks like several names, or has a blank too many, is one regular expression to the job.
  void warn_of_names(const SparkJobTable& table) {
    for (const PlacedText* name : {&table.database, &table.table}) {
      if (is_plain(name->text) || name->text.find_first_of(".*+?[](){}|\\^$") != std::string::npos) continue;
      file_.warning(diagnostics::kActsOtherwise, name->span,
                    quote(name->text) + " is one name, with all its characters: it meets no table that is called otherwise",
                    "write an entry for each table, without blanks");
    }
  }

  /// Tables of two databases that the job merges into one.
  void find_merged_targets() {
    std::map<std::string, std::set<std::pair<std::string, std::string>>> sources;
    for (const SparkJobTable& table : job_.tables) {
      if (table.only_save_delete.text.empty()) sources[target_of(table)].insert({table.database.text, table.table.text});
    }
    for (const auto& [target, of] : sources) {
      if (of.size() > 1) merged_.insert(target);
    }
  }

  [[nodiscard]] static std::string target_of(const SparkJobTable& table) {
    return lower(table.target_table.text.empty() ? table.table.text : table.target_table.text);
  }

  [[nodiscard]] std::string pattern_of(const SparkJobTable& table) const {
    const auto part = [](const std::string& name) { return name.find('|') == std::string::npos ? name : "(?:" + name + ")"; };
    const bool dms = job_.text("cdc_format") == "DMS-CDC";
    if (is_plain(table.database.text) && is_plain(table.table.text)) {
      return table.database.text + "." + (schema_.empty() || dms ? "" : schema_ + ".") + table.table.text;
    }
    std::string schema;
    if (!schema_.empty() && !dms) schema = (schema_ == "*" ? "[^.]*" : schema_) + "\\.";
    return "re:" + part(table.database.text) + "\\." + schema + part(table.table.text);
  }

  void leave_out(RouteLines& route, Span where, const std::string& why, const std::string& help) {
    route.is_left_out = true;
    route.comments.push_back(why + ": " + help);
    file_.warning(diagnostics::kActsOtherwise, where, why, help);
  }

  void add(const SparkJobTable& table, std::size_t number) {
    warn_of_names(table);
    RouteLines route;
    const bool plain = is_plain(table.database.text) && is_plain(table.table.text);
    const std::string pattern = pattern_of(table);
    route.match.push_back(pattern);
    route.name = as_route_name(table.database.text + "_" + table.table.text);
    route.database = table.database.text;
    settings(table, route, plain);
    if (const auto parsed = route::Pattern::parse(pattern); !parsed) {
      leave_out(route, table.table.span, "the regular expression cannot be read here: " + parsed.error().message,
                "write it as ECMAScript does, see docs/manifest.md");
    } else if (!table.only_save_delete.text.empty()) {
      leave_out(route, table.only_save_delete.span,
                "only_save_delete: a table of deleted rows alone (mode = \"deletes\") is not yet available",
                "the table is not read; what the job has written to " + archive_of(table) + " stays as it is");
    } else if (!seen_.insert(pattern).second) {
      leave_out(route, table.table.span, "the table is in sync_table_list before; a table goes to one route",
                "give the second target a manifest of its own, with another pipeline name");
    } else {
      patterns_.emplace_back(number, *parsed);
      if (!table.save_delete.text.empty()) {
        const std::string why = "save_delete: a table of deleted rows (archive_deletes) is not yet available";
        const std::string help = "deletes are applied; " + archive_of(table) + " stays as it is";
        route.comments.push_back(why + ": " + help);
        file_.warning(diagnostics::kActsOtherwise, table.save_delete.span, why, help);
      }
    }
    if (!join(route)) routes_.push_back(std::move(route));
  }

  [[nodiscard]] std::string archive_of(const SparkJobTable& table) const {
    return std::string(job_.text("redshift_schema")) + "." + target_of(table) + "_delete";
  }

  /// Into the last route that says the same of another table.
  bool join(const RouteLines& route) {
    if (!route.comments.empty() || route.settings.find("\ntable = ") != std::string::npos) return false;
    for (RouteLines& other : routes_) {
      if (other.comments.empty() && other.settings == route.settings && other.database == route.database) {
        other.match.push_back(route.match.front());
        other.name = as_route_name(route.database);
        return true;
      }
    }
    return false;
  }

  void settings(const SparkJobTable& table, RouteLines& route, bool plain) {
    std::vector<std::string> key;
    for (const std::string& column : split_names(table.primary_key.text)) {
      if (std::find(key.begin(), key.end(), column) == key.end()) key.push_back(column);
    }
    std::string text = "primary_key = " + manifest_list(key) + "\n";
    const std::string schema(job_.text("redshift_schema"));
    const bool is_merged = merged_.contains(target_of(table));
    if (!table.target_table.text.empty() || (is_merged && plain)) {
      if (table.target_table.text.find('.') != std::string::npos) {
        file_.error(diagnostics::kBadValue, table.target_table.span, "target_table " + quote(table.target_table.text) + " has a dot",
                    "the schema is redshift_schema; here a name is one word");
      }
      text += "table = " + manifest_string(without_placeholders(lower(schema) + "." + target_of(table))) + "\n";
      const auto [first, is_new] = merged_keys_.try_emplace(target_of(table), key);
      if (is_merged && !is_new && !std::is_permutation(key.begin(), key.end(), first->second.begin(), first->second.end())) {
        file_.error(diagnostics::kBadValue, table.primary_key.span,
                    "another table of sync_table_list fills " + quote(schema + "." + target_of(table)) + " too, with another primary_key",
                    "a table has one key: give one of the two a target_table of its own");
      }
      if (is_merged) {
        file_.warning(diagnostics::kActsOtherwise, table.table.span,
                      "another table of sync_table_list fills " + quote(schema + "." + target_of(table)) + " too, as in the job",
                      "keys of the two must not meet; else give one of them a table of its own: table = \"" + lower(schema) + ".NAME\"");
      }
    } else if (!plain) {
      file_.warning(diagnostics::kActsOtherwise, table.table.span,
                    "a regular expression without target_table: the job has no table of that name to write to",
                    "here each table that matches goes to a target of its own name");
    }
    if (!table.ignore_ddl.text.empty()) text += "create_tables = false\nschema_changes = \"ignore\"\n";
    if (!table.skip_delete.text.empty()) text += "deletes = \"ignore\"\n";
    const std::string columns = column_rules(table, route);
    if (!columns.empty()) text += "[routes.@.columns]\n" + columns;
    route.settings = text;
  }

  std::string column_rules(const SparkJobTable& table, RouteLines& route) {
    std::map<std::string, std::string> rules;
    for (const std::string& column : split_names(table.super_columns.text)) rules[column] = "{ type = \"json\" }";
    if (const auto [columns, format] = columns_and_format(table.timestamp_columns.text); !columns.empty()) {
      if (format.empty() || is_iso_timestamp(format)) {
        for (const std::string& column : columns) rules[column] = "{ type = \"timestamp\", parse = \"iso8601\" }";
      } else {
        no_format(route, table.timestamp_columns, "timestamp_columns", format);
      }
    }
    if (const auto [columns, format] = columns_and_format(table.date_columns.text); !columns.empty()) {
      if (format.empty() || format == "since_1970") {
        for (const std::string& column : columns) rules[column] = "{ type = \"date\", parse = \"epoch_days\" }";
      } else if (format == "yyyy-MM-dd") {
        for (const std::string& column : columns) rules[column] = "{ type = \"date\", parse = \"iso8601\" }";
      } else {
        no_format(route, table.date_columns, "date_columns", format);
      }
    }
    std::string text;
    for (const auto& [column, rule] : rules) text += key_of_column(column) + " = " + rule + "\n";
    return text;
  }

  void no_format(RouteLines& route, const PlacedText& option, const std::string& name, const std::string& format) {
    const std::string why = name + ": values of the format " + quote(format) + " cannot be read as times here";
    const std::string help = "they are written as they come; the target's column takes them where it is a text";
    route.comments.push_back(why + ": " + help);
    file_.warning(diagnostics::kActsOtherwise, option.span, why, help);
  }

  /// A name that a regular expression of another entry matches too.
  void warn_of_overlaps() {
    for (const auto& [number, pattern] : patterns_) {
      if (pattern.is_regular_expression()) continue;
      const SparkJobTable& table = job_.tables[number];
      route::SourceTable name;
      name.database = table.database.text;
      name.table = table.table.text;
      if (!schema_.empty() && job_.text("cdc_format") != "DMS-CDC") name.schema = schema_;
      for (const auto& [other_number, other] : patterns_) {
        if (!other.is_regular_expression() || !other.matches(name)) continue;
        file_.warning(
            diagnostics::kActsOtherwise, table.table.span,
            quote(table.table.text) + " is matched by " + quote(job_.tables[other_number].table.text) + " too; the job writes it to both",
            "here it goes to its own route alone; what it has written to the other table stays");
      }
    }
  }

  static std::string match_list(const std::vector<std::string>& patterns) {
    const std::string line = manifest_list(patterns);
    if (line.size() < 120) return line;
    std::string text = "[";
    for (const std::string& pattern : patterns) text += "\n  " + manifest_string(pattern) + ",";
    return text + "\n]";
  }

  static std::string replaced(std::string text, const std::string& name) {
    const std::size_t at = text.find("[routes.@.columns]");
    if (at != std::string::npos) text.replace(at + 8, 1, name);
    return text;
  }

  static std::string commented(const std::string& lines) {
    std::string text;
    for (std::size_t begin = 0; begin < lines.size();) {
      const std::size_t end = lines.find('\n', begin);
      text += "# " + lines.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
    return text;
  }

  const SparkJob& job_;
  const std::string schema_;
  Findings& file_;
  std::set<std::string> merged_;                                 // targets of several source tables
  std::map<std::string, std::vector<std::string>> merged_keys_;  // the first of them, by target
  std::set<std::string> seen_;                                   // patterns
  std::vector<std::pair<std::size_t, route::Pattern>> patterns_;
  std::vector<RouteLines> routes_;
};

}  // namespace

std::string spark_job_routes(const SparkJob& job, const std::string& schema, Findings& file) {
  return RouteWriter(job, schema, file).write();
}

std::string manifest_string(std::string_view value) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text = "\"";
  for (const char letter : value) {
    if (letter == '"' || letter == '\\') {
      text += {'\\', letter};
    } else if (letter == '$') {
      text += "$$";
    } else if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F) {
      text += "\\u00";
      text += {kHex[static_cast<unsigned char>(letter) >> 4], kHex[letter & 15]};
    } else {
      text += letter;
    }
  }
  return text + "\"";
}

std::string manifest_list(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) text += (text.size() == 1 ? "" : ", ") + manifest_string(value);
  return text + "]";
}

}  // namespace cdcrt::cli
