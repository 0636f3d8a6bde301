#include "topic_filter.hpp"

#include <algorithm>
#include <optional>
#include <regex>

namespace cdcrt::file_source {
namespace {

bool glob_matches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

struct TopicFilter::Pattern {
  std::string glob;
  std::optional<std::regex> expression;
};

TopicFilter::TopicFilter() = default;
TopicFilter::~TopicFilter() = default;
TopicFilter::TopicFilter(TopicFilter&&) noexcept = default;
TopicFilter& TopicFilter::operator=(TopicFilter&&) noexcept = default;

sdk::Status TopicFilter::parse(const char* key, const std::vector<std::string>& patterns, TopicFilter& to) {
  TopicFilter filter;
  for (const auto& text : patterns) {
    Pattern pattern{text, std::nullopt};
    if (text.rfind("re:", 0) == 0) {
      try {
        pattern.expression.emplace(text.substr(3), std::regex::ECMAScript | std::regex::optimize);
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
  return patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
           return pattern.expression ? std::regex_match(topic.begin(), topic.end(), *pattern.expression)
                                     : glob_matches(pattern.glob, topic);
         });
}

}  // namespace cdcrt::file_source
