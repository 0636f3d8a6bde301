#include "topic_patterns.hpp"

#include <regex.h>

#include <algorithm>
#include <optional>

namespace cdcrt::kafka_source {
namespace {

constexpr size_t kMaxTopicName = 249;  // org.apache.kafka.common.internals.Topic.MAX_NAME_LENGTH

bool is_topic_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string escaped(char c) { return c == '.' ? "\\." : std::string(1, c); }

std::string any_name(std::string_view glob) {
  std::string text;
  for (const char c : glob) text += c == '*' ? ".*" : c == '?' ? "." : escaped(c);
  return text;
}

/// Expression of the names that the glob matches and that do not begin with "__"; `underscores` (0 or 1) were read already.
/// Nothing: no such name.
std::optional<std::string> not_internal(std::string_view glob, int underscores) {
  if (glob.empty()) return "";
  const std::string_view rest = glob.substr(1);
  std::vector<std::string> ways;
  const auto add = [&](const std::string& prefix, const std::optional<std::string>& tail) {
    if (tail) ways.push_back(prefix + *tail);
  };
  if (glob[0] == '_') {
    if (underscores == 0) add("_", not_internal(rest, 1));
  } else if (glob[0] == '?') {
    add("[^_]", any_name(rest));
    if (underscores == 0) add("_", not_internal(rest, 1));
  } else if (glob[0] == '*') {
    add("", not_internal(rest, underscores));
    add("[^_].*", any_name(rest));
    if (underscores == 0) add("_", not_internal(glob, 1));
  } else {
    ways.push_back(any_name(glob));
  }
  if (ways.empty()) return std::nullopt;
  if (ways.size() == 1) return ways[0];
  // POSIX leaves open what an empty alternative means; glibc does not always match it.
  std::string text;
  bool may_be_empty = false;
  for (const auto& way : ways) {
    if (way.empty()) {
      may_be_empty = true;
    } else {
      text += (text.empty() ? "" : "|") + way;
    }
  }
  return "(" + text + (may_be_empty ? ")?" : ")");
}

}  // namespace

struct TopicPatterns::Expression {
  explicit Expression(std::string with) : text(std::move(with)) {}
  ~Expression() {
    if (compiled) ::regfree(&pattern);
  }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  /// The reason where the text is no expression.
  std::string compile() {
    const int failed = ::regcomp(&pattern, text.c_str(), REG_EXTENDED | REG_NOSUB);
    compiled = failed == 0;
    if (compiled) return {};
    char reason[256] = "";
    ::regerror(failed, &pattern, reason, sizeof reason);
    return reason;
  }
  [[nodiscard]] bool matches(const std::string& name) const { return ::regexec(&pattern, name.c_str(), 0, nullptr, 0) == 0; }

  std::string text;
  regex_t pattern{};
  bool compiled = false;
};

TopicPatterns::TopicPatterns() = default;
TopicPatterns::~TopicPatterns() = default;
TopicPatterns::TopicPatterns(TopicPatterns&&) noexcept = default;
TopicPatterns& TopicPatterns::operator=(TopicPatterns&&) noexcept = default;

std::string TopicPatterns::expression_of_glob(std::string_view glob) {
  if (glob.substr(0, 2) == "__") return "^" + any_name(glob) + "$";
  return "^" + not_internal(glob, 0).value_or("") + "$";
}

sdk::Status TopicPatterns::parse(const std::vector<std::string>& patterns, TopicPatterns& to) {
  TopicPatterns parsed;
  if (patterns.empty()) return sdk::Status::bad_config("topics", "no topic is named", "for example topics = [\"shop.*\"]");
  for (const auto& text : patterns) {
    const bool is_expression = text.rfind("re:", 0) == 0;
    if (!is_expression) {
      const auto odd = std::find_if(text.begin(), text.end(), [](char c) { return !is_topic_character(c) && c != '*' && c != '?'; });
      if (odd != text.end()) {
        return sdk::Status::bad_config("topics", "no topic can have this name: '" + text + "'",
                                       "names consist of letters, digits, '.', '_' and '-'; * and ? are wildcards; a regular expression "
                                       "begins with re:");
      }
      if (text.empty() || text.size() > kMaxTopicName) {
        return sdk::Status::bad_config("topics", text.empty() ? "a topic's name is empty" : "a topic's name is longer than 249 characters");
      }
    }
    if (!is_expression && text.find_first_of("*?") == std::string::npos) {
      if (std::find(parsed.plain_.begin(), parsed.plain_.end(), text) == parsed.plain_.end()) parsed.plain_.push_back(text);
      continue;
    }
    auto expression = std::make_unique<Expression>(is_expression ? "^(" + text.substr(3) + ")$" : expression_of_glob(text));
    const std::string reason = expression->compile();
    if (!reason.empty()) {
      return sdk::Status::bad_config("topics", "not a POSIX extended regular expression (" + reason + "): " + text);
    }
    parsed.open_.push_back(text);
    parsed.expressions_.push_back(std::move(expression));
  }
  to = std::move(parsed);
  return {};
}

bool TopicPatterns::wants(std::string_view topic) const {
  const std::string name(topic);
  return std::find(plain_.begin(), plain_.end(), name) != plain_.end() ||
         std::any_of(expressions_.begin(), expressions_.end(), [&](const auto& expression) { return expression->matches(name); });
}

std::vector<std::string> TopicPatterns::subscription() const {
  std::vector<std::string> topics = plain_;
  for (const auto& expression : expressions_) topics.push_back(expression->text);
  return topics;
}

}  // namespace cdcrt::kafka_source
