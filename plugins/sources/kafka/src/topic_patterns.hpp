// TopicPatterns: which topics are read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka_source {

/// Plain names, globs (* stands for any characters, dots too, ? for one) and "re:..." POSIX extended regular expressions that
/// must match a whole name. Globs never match names that begin with "__" (Kafka's own topics) unless they begin so themselves.
/// The list and the subscription use the same expressions and the same matcher (regcomp, as librdkafka does), so that what is
/// listed is what the group is assigned. One thread while parsing, then any.
class TopicPatterns {
 public:
  TopicPatterns();
  ~TopicPatterns();
  TopicPatterns(TopicPatterns&&) noexcept;
  TopicPatterns& operator=(TopicPatterns&&) noexcept;

  /// BAD_CONFIG for the option `topics`.
  static sdk::Status parse(const std::vector<std::string>& patterns, TopicPatterns& to);
  [[nodiscard]] bool wants(std::string_view topic) const;
  /// Names given without any wildcard, in the order given.
  [[nodiscard]] const std::vector<std::string>& plain() const { return plain_; }
  /// Patterns as the operator wrote them, without the plain names.
  [[nodiscard]] const std::vector<std::string>& open() const { return open_; }
  /// What rd_kafka_subscribe takes: plain names, and expressions that begin with '^'.
  [[nodiscard]] std::vector<std::string> subscription() const;
  /// The expression of one glob.
  static std::string expression_of_glob(std::string_view glob);

 private:
  struct Expression;
  std::vector<std::string> plain_, open_;
  std::vector<std::unique_ptr<Expression>> expressions_;
};

}  // namespace cdcrt::kafka_source
