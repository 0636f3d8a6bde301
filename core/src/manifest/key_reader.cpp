#include "manifest/key_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"
#include "manifest/composition.hpp"
#include "route/pattern.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;
using route::KeyRule;

constexpr const char* kRuleHelp = "write \"shop.orders\" = [\"id\"]: a pattern as in `match` of a route, and the columns of the key";
constexpr const char* kLineHelp = "write one table in a line: shop.orders,id or shop.order_items,order_id,line";
// A file that is something else altogether.
constexpr std::size_t kMaxProblems = 20;

/// One line of the file, cut at its commas. Columns count characters.
class KeyLine {
 public:
  struct Field {
    std::string text;
    Position position;
  };
  KeyLine(std::string_view line, Position start) : line_(line), start_(std::move(start)) {}

  [[nodiscard]] bool is_blank() {
    skip_spaces();
    return at_ == line_.size() || line_[at_] == '#';
  }
  /// False: a quoted name does not end, at the last field's place.
  bool cut(std::vector<Field>& fields) {
    for (;;) {
      skip_spaces();
      const std::size_t begin = at_;
      Field& field = fields.emplace_back();
      const bool is_whole = at_ < line_.size() && line_[at_] == '"' ? take_quoted(field.text) : take_plain(field.text);
      field.position = place(begin, std::max<std::size_t>(at_, begin + 1));
      if (!is_whole) return false;
      skip_spaces();
      if (at_ == line_.size()) return true;
      if (line_[at_] != ',') return false;  // something follows a quoted name
      ++at_;
    }
  }

 private:
  void skip_spaces() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }
  bool take_plain(std::string& text) {
    const std::size_t end = std::min(line_.find(',', at_), line_.size());
    text = line_.substr(at_, end - at_);
    at_ = end;
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    return true;
  }
  bool take_quoted(std::string& text) {
    for (++at_; at_ < line_.size(); ++at_) {
      if (line_[at_] == '"') {
        if (at_ + 1 == line_.size() || line_[at_ + 1] != '"') {
          ++at_;
          return true;
        }
        ++at_;
      }
      text += line_[at_];
    }
    return false;
  }
  [[nodiscard]] Position place(std::size_t begin, std::size_t end) const {
    const auto characters = [](std::string_view text) {
      return static_cast<uint32_t>(std::count_if(text.begin(), text.end(), [](char letter) { return (letter & '\xC0') != '\x80'; }));
    };
    Position position = start_;
    position.column = characters(line_.substr(0, begin)) + 1;
    position.length = std::max<uint32_t>(1, characters(line_.substr(begin, end - begin)));
    return position;
  }

  const std::string_view line_;
  const Position start_;
  std::size_t at_ = 0;
};

class KeyFileReader {
 public:
  KeyFileReader(std::string name, Report& report, std::vector<KeyRule>& rules) : name_(std::move(name)), report_(report), rules_(rules) {}

  void read(std::string_view text) {
    uint32_t number = 0;
    while (!text.empty() && problems_ < kMaxProblems) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      read_line(line, ++number);
    }
  }

 private:
  void read_line(std::string_view line, uint32_t number) {
    const Position start{name_, number, 1, 1};
    KeyLine cutter(line, start);
    if (cutter.is_blank()) return;
    std::vector<KeyLine::Field> fields;
    if (!cutter.cut(fields)) {
      return refuse(diagnostics::kBadValue, fields.back().position, "a name in double quotes does not end here, or something follows it",
                    "write \"\" for a double quote in a quoted name");
    }
    const KeyLine::Field& table = fields.front();
    const auto pattern = route::Pattern::parse(table.text);
    if (!pattern) return refuse(diagnostics::kBadPattern, table.position, pattern.error().message, pattern.error().hint);
    if (fields.size() == 1) {
      return refuse(diagnostics::kBadValue, table.position, "no column of the key of " + quote(table.text) + " follows", kLineHelp);
    }
    KeyRule rule{table.text, {}, true, table.position};
    for (auto field = fields.begin() + 1; field != fields.end(); ++field) {
      if (field->text.empty()) return refuse(diagnostics::kBadValue, field->position, "a column without a name", kLineHelp);
      if (std::find(rule.columns.begin(), rule.columns.end(), field->text) != rule.columns.end())
        return refuse(diagnostics::kBadValue, field->position, "column " + quote(field->text) + " stands twice in the key", "");
      rule.columns.push_back(field->text);
    }
    const auto [first, is_new] = lines_.try_emplace(table.text, number);
    if (!is_new) {
      return refuse(diagnostics::kBadValue, table.position,
                    quote(table.text) + " stands in line " + std::to_string(first->second) + " already", "take one of the two out");
    }
    rules_.push_back(std::move(rule));
  }

  void refuse(std::string_view code, const Position& position, std::string message, std::string help) {
    ++problems_;
    report_.error(code, position, std::move(message), std::move(help));
  }

  const std::string name_;
  Report& report_;
  std::vector<KeyRule>& rules_;
  std::map<std::string, uint32_t> lines_;
  std::size_t problems_ = 0;
};

void read_inline(TableReader& defaults, std::vector<KeyRule>& rules) {
  const Entry* entry = defaults.take_table("primary_keys");
  if (entry == nullptr) return;
  for (const Entry& each : entry->value.entries) {
    const Field field{each.key, defaults.report()};
    if (each.value.is_table()) {
      refuse_value(each.value, field, diagnostics::kWrongType, "must be a list of columns, not a table",
                   "a pattern with a dot stands in quotes: \"shop.orders\" = [\"id\"]");
      continue;
    }
    const auto pattern = route::Pattern::parse(each.key);
    if (!pattern) {
      defaults.report().error(diagnostics::kBadPattern, each.position, pattern.error().message, pattern.error().hint);
      continue;
    }
    auto columns = read_list(each.value, field);
    if (!columns) continue;
    if (columns->empty()) refuse_value(each.value, field, diagnostics::kBadValue, "must name at least one column", kRuleHelp);
    for (auto column = columns->begin(); column != columns->end(); ++column) {
      if (column->empty()) refuse_value(each.value, field, diagnostics::kBadValue, "must not hold an empty name");
      if (std::find(columns->begin(), column, *column) != column)
        refuse_value(each.value, field, diagnostics::kBadValue, "names " + quote(*column) + " twice");
    }
    rules.push_back({each.key, std::move(*columns), false, each.position});
  }
}

void read_file(TableReader& defaults, Manifest& manifest) {
  const Entry* entry = defaults.take("primary_keys_file");
  if (entry == nullptr) return;
  const Field field = defaults.field("primary_keys_file");
  const auto given = read_string(entry->value, field);
  if (!given) return;
  if (given->empty()) return refuse_value(entry->value, field, diagnostics::kBadValue, "must not be empty");
  manifest.key_file = *given;
  std::string why;
  auto text = read_whole_file(absolute_path(*given, manifest.folder), why);
  if (!text) {
    defaults.report().error(diagnostics::kFileUnreadable, entry->value.position, "the file of keys " + quote(*given) + " " + why,
                            "paths are relative to the folder of the manifest");
    return;
  }
  if (text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
  if (!sdk::is_utf8(*text)) {
    defaults.report().error(diagnostics::kNotText, entry->value.position, "the file of keys " + quote(*given) + " is not UTF-8 text", "");
    return;
  }
  // Named as the manifest itself is.
  const std::string name = (std::filesystem::path(manifest.path).parent_path() / *given).string();
  defaults.report().texts().add(name, *text);
  std::vector<KeyRule> rules;
  KeyFileReader(name, defaults.report(), rules).read(*text);
  for (KeyRule& rule : rules) {
    const bool is_overridden = std::any_of(manifest.key_rules.begin(), manifest.key_rules.end(),
                                           [&](const KeyRule& own) { return !own.of_file && own.pattern == rule.pattern; });
    if (!is_overridden) manifest.key_rules.push_back(std::move(rule));
  }
}

}  // namespace

void read_key_rules(TableReader& defaults, Manifest& manifest) {
  read_inline(defaults, manifest.key_rules);
  read_file(defaults, manifest);
}

}  // namespace cdcrt::manifest
