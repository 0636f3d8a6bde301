#include "debezium/table_name.hpp"

#include <regex.h>

namespace cdcrt::debezium {

namespace {

constexpr const char* kOption = "table_from_topic";

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = text.find('.');
    parts.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

std::string* member(TableName& name, std::string_view placeholder) {
  if (placeholder == "database") return &name.database;
  if (placeholder == "schema") return &name.schema;
  if (placeholder == "table") return &name.table;
  return nullptr;
}

/// Matches `text` against `before{placeholder}after`.
bool match_part(std::string_view pattern, std::string_view text, TableName& name) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == text;
  const std::size_t close = pattern.find('}', open);
  const std::string_view before = pattern.substr(0, open);
  const std::string_view after = pattern.substr(close + 1);
  if (text.size() <= before.size() + after.size() || !text.starts_with(before) || !text.ends_with(after)) return false;
  if (std::string* out = member(name, pattern.substr(open + 1, close - open - 1))) {
    *out = std::string(text.substr(before.size(), text.size() - before.size() - after.size()));
  }
  return true;
}

/// A compiled POSIX extended regular expression.
class Expression {
 public:
  explicit Expression(const std::string& text) : code_(regcomp(&compiled_, text.c_str(), REG_EXTENDED)) {}
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() {
    if (code_ == 0) regfree(&compiled_);
  }
  /// Empty when the text is a regular expression.
  [[nodiscard]] std::string problem() const {
    char text[128] = "";
    if (code_ != 0) regerror(code_, &compiled_, text, sizeof text);
    return text;
  }
  [[nodiscard]] bool match(const std::string& text, std::vector<regmatch_t>& groups) const {
    return code_ == 0 && regexec(&compiled_, text.c_str(), groups.size(), groups.data(), 0) == 0;
  }

 private:
  regex_t compiled_{};
  int code_;
};

/// (?<name>...) becomes (...); the names by place.
bool strip_group_names(std::string_view expression, std::string& stripped, std::vector<std::string>& groups) {
  bool in_class = false;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      stripped.push_back(c);
      stripped.push_back(expression[++i]);
      continue;
    }
    stripped.push_back(c);
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    if (c != '(' || in_class) continue;
    if (expression.substr(i).starts_with("(?<")) {
      const std::size_t close = expression.find('>', i);
      if (close == std::string_view::npos) return false;
      groups.emplace_back(expression.substr(i + 3, close - i - 3));
      TableName name;
      if (member(name, groups.back()) == nullptr) return false;
      i = close;
    } else if (!expression.substr(i).starts_with("(?")) {
      groups.emplace_back();
    }
  }
  return true;
}

}  // namespace

sdk::Status TopicRule::parse(std::string_view option, TopicRule& rule) {
  rule = TopicRule();
  rule.given_ = !option.empty() && option != "false";
  if (option.empty() || option == "true") return {};
  if (option == "false") {
    rule.way_ = Way::kNever;
    return {};
  }
  if (option.starts_with("re:")) {
    rule.way_ = Way::kExpression;
    if (!strip_group_names(option.substr(3), rule.expression_, rule.groups_)) {
      return sdk::Status::bad_config(kOption, "a group of the regular expression has no known name",
                                     "name groups (?<database>...), (?<schema>...) and (?<table>...)");
    }
    bool has_table = false;
    for (const auto& group : rule.groups_) has_table = has_table || group == "table";
    rule.expression_ = "^(" + rule.expression_ + ")$";
    rule.groups_.insert(rule.groups_.begin(), std::string());
    if (const std::string problem = Expression(rule.expression_).problem(); !problem.empty()) {
      return sdk::Status::bad_config(kOption, "not a POSIX extended regular expression: " + problem);
    }
    if (!has_table) return sdk::Status::bad_config(kOption, "the regular expression has no group (?<table>...)");
    return {};
  }
  rule.way_ = Way::kPattern;
  rule.parts_ = split(option);
  bool has_table = false;
  for (const auto& part : rule.parts_) {
    const std::size_t open = part.find('{');
    if (open == std::string::npos) continue;
    const std::size_t close = part.find('}', open);
    const std::string placeholder = close == std::string::npos ? "" : part.substr(open + 1, close - open - 1);
    TableName name;
    if ((member(name, placeholder) == nullptr && placeholder != "any") || part.find('{', open + 1) != std::string::npos) {
      return sdk::Status::bad_config(kOption, "\"" + part + "\" is no part of a topic pattern",
                                     "each part holds at most one of {database}, {schema}, {table}, {any}");
    }
    has_table = has_table || placeholder == "table";
  }
  if (!has_table) {
    return sdk::Status::bad_config(kOption, "the pattern \"" + std::string(option) + "\" has no {table}",
                                   "for example \"{any}.{schema}.{table}\", or true for the last parts of the topic");
  }
  return {};
}

std::optional<TableName> TopicRule::table(std::string_view topic) const {
  TableName name;
  switch (way_) {
    case Way::kNever: return std::nullopt;
    case Way::kExpression: {
      // Once per topic; the expression was checked when it was read.
      std::vector<regmatch_t> matched(groups_.size() + 1);
      if (!Expression(expression_).match(std::string(topic), matched)) return std::nullopt;
      for (std::size_t i = 0; i < groups_.size(); ++i) {
        const regmatch_t& group = matched[i + 1];
        std::string* out = member(name, groups_[i]);
        if (out == nullptr || group.rm_so < 0) continue;
        *out = std::string(topic.substr(static_cast<std::size_t>(group.rm_so), static_cast<std::size_t>(group.rm_eo - group.rm_so)));
      }
      break;
    }
    case Way::kPattern: {
      const std::vector<std::string> parts = split(topic);
      if (parts.size() < parts_.size()) return std::nullopt;
      for (std::size_t i = 0; i < parts_.size(); ++i) {
        if (!match_part(parts_[i], parts[parts.size() - parts_.size() + i], name)) return std::nullopt;
      }
      break;
    }
    case Way::kDefault: {
      const std::vector<std::string> parts = split(topic);
      name.table = parts.back();
      if (parts.size() >= 3) name.schema = parts[parts.size() - 2];
      break;
    }
  }
  if (name.table.empty()) return std::nullopt;
  return name;
}

}  // namespace cdcrt::debezium
