#include "route/pattern.hpp"

#include <array>
#include <regex>

#include "cdcrt/sdk/glob.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::route {
namespace {

constexpr std::size_t kMaxParts = 3;

bool matches_part(std::string_view pattern, std::string_view text, std::vector<std::string>* captures) {
  if (captures == nullptr) return sdk::glob_matches(pattern, text, "*");
  std::vector<std::string_view> stars;
  if (!sdk::glob_matches(pattern, text, "*", &stars)) return false;
  captures->insert(captures->end(), stars.begin(), stars.end());
  return true;
}

}  // namespace

struct Pattern::Expression {
  std::regex regex;
};

std::string dotted(const SourceTable& table) {
  std::string name;
  for (const std::string_view part : {table.database, table.schema, table.table}) {
    if (part.empty()) continue;
    if (!name.empty()) name += '.';
    name += part;
  }
  return name;
}

Result<Pattern> Pattern::parse(std::string_view text) {
  using diagnostics::quote;
  Pattern pattern;
  pattern.text_ = std::string(text);
  if (text.starts_with("re:")) {
    try {
      auto expression = std::make_shared<Expression>();
      expression->regex = std::regex(std::string(text.substr(3)), std::regex::ECMAScript | std::regex::optimize);
      pattern.capture_count_ = expression->regex.mark_count();
      pattern.expression_ = std::move(expression);
    } catch (const std::regex_error& error) {
      return make_error(CDCRT_BAD_CONFIG, "the regular expression " + quote(text.substr(3)) + " cannot be read: " + error.what(),
                        "regular expressions are ECMAScript's and match the whole of database.schema.table");
    }
    if (text.size() == 3) return make_error(CDCRT_BAD_CONFIG, "the regular expression is empty", "");
    return pattern;
  }
  std::size_t begin = 0;
  while (true) {
    const std::size_t dot = text.find('.', begin);
    pattern.parts_.emplace_back(text.substr(begin, dot == std::string_view::npos ? dot : dot - begin));
    if (dot == std::string_view::npos) break;
    begin = dot + 1;
  }
  for (const auto& part : pattern.parts_) {
    if (part.empty())
      return make_error(CDCRT_BAD_CONFIG, "pattern " + quote(text) + " has an empty part",
                        "write table, schema.table or database.schema.table");
  }
  if (pattern.parts_.size() > kMaxParts) {
    return make_error(CDCRT_BAD_CONFIG, "pattern " + quote(text) + " has more than three parts",
                      "write table, schema.table or database.schema.table; names that hold dots need \"re:...\"");
  }
  for (char letter : text) ++(letter == '*' ? pattern.capture_count_ : pattern.literals_);
  return pattern;
}

bool Pattern::matches(const SourceTable& table, std::vector<std::string>* captures) const {
  if (captures != nullptr) captures->clear();
  if (expression_ != nullptr) {
    const std::string name = dotted(table);
    if (name.size() > kMaxName) return false;
    std::smatch match;
    try {
      if (!std::regex_match(name, match, expression_->regex)) return false;
    } catch (const std::regex_error&) {
      return false;  // the expression's own complexity bound
    }
    for (std::size_t i = 1; captures != nullptr && i < match.size(); ++i) captures->push_back(match[i].str());
    return true;
  }
  std::array<std::string_view, kMaxParts> names;
  std::size_t count = 0;
  for (const std::string_view part : {table.database, table.schema, table.table}) {
    if (!part.empty()) names.at(count++) = part;
  }
  if (parts_.size() > count) return false;
  const std::size_t first = count - parts_.size();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!matches_part(parts_[i], names.at(first + i), captures)) return false;
  }
  return true;
}

bool Pattern::is_exact() const { return expression_ == nullptr && capture_count_ == 0; }

int Pattern::rank() const { return is_exact() ? 0 : expression_ == nullptr ? 1 : 2; }

bool Pattern::more_specific_than(const Pattern& other) const {
  if (rank() != other.rank()) return rank() < other.rank();
  return rank() < 2 && literals_ > other.literals_;
}

bool Pattern::as_specific_as(const Pattern& other) const { return !more_specific_than(other) && !other.more_specific_than(*this); }

}  // namespace cdcrt::route
