#include "topic_filter.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <regex>

#include "cdcrt/sdk/glob.hpp"

namespace cdcrt::file_source {

struct TopicFilter::Pattern {
  std::string glob;
  std::optional<std::regex> expression;
  std::atomic<bool> met{false};

  [[nodiscard]] bool matches(std::string_view topic) const {
    return expression ? std::regex_match(topic.begin(), topic.end(), *expression) : sdk::glob_matches(glob, topic);
  }
};

TopicFilter::TopicFilter() = default;
TopicFilter::~TopicFilter() = default;
TopicFilter::TopicFilter(TopicFilter&&) noexcept = default;
TopicFilter& TopicFilter::operator=(TopicFilter&&) noexcept = default;

sdk::Status TopicFilter::parse(const char* key, const std::vector<std::string>& patterns, TopicFilter& to) {
  TopicFilter filter;
  for (const auto& text : patterns) {
    auto pattern = std::make_unique<Pattern>();
    pattern->glob = text;
    if (text.rfind("re:", 0) == 0) {
      try {
        pattern->expression.emplace(text.substr(3), std::regex::ECMAScript | std::regex::optimize);
      } catch (const std::regex_error& error) {
        return sdk::Status::bad_config(key, std::string("not a regular expression (") + error.what() + "): " + text);
      }
    }
    filter.patterns_.push_back(std::move(pattern));
  }
  to = std::move(filter);
  return {};
}

bool TopicFilter::wants(std::string_view topic) const {
  return patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& pattern) { return pattern->matches(topic); });
}

bool TopicFilter::meets(std::string_view topic) {
  bool any = patterns_.empty();
  for (const auto& pattern : patterns_) {
    if (!pattern->matches(topic)) continue;
    pattern->met = true;
    any = true;
  }
  return any;
}

std::vector<std::string> TopicFilter::unmet() const {
  std::vector<std::string> texts;
  for (const auto& pattern : patterns_) {
    if (!pattern->met) texts.push_back(pattern->glob);
  }
  return texts;
}

}  // namespace cdcrt::file_source
