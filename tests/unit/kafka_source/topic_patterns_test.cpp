#include "topic_patterns.hpp"

#include <doctest/doctest.h>

using cdcrt::kafka_source::TopicPatterns;
namespace sdk = cdcrt::sdk;

namespace {

TopicPatterns parsed(const std::vector<std::string>& texts) {
  TopicPatterns patterns;
  const auto status = TopicPatterns::parse(texts, patterns);
  INFO(status.message());
  REQUIRE(status.ok());
  return patterns;
}

std::string refusal(const std::string& text) {
  TopicPatterns patterns;
  auto status = TopicPatterns::parse({text}, patterns);
  REQUIRE(status.code() == CDCRT_BAD_CONFIG);
  const std::string message(status.message());
  cdcrt_error error{};
  error.size = sizeof error;
  sdk::Status::hand_over(std::move(status), &error);
  CHECK(std::string(error.config_key) == "topics");
  error.release(&error);
  return message;
}

}  // namespace

TEST_CASE("topics: a plain name takes that topic and no other") {
  const auto patterns = parsed({"shop.orders"});
  CHECK(patterns.wants("shop.orders"));
  CHECK_FALSE(patterns.wants("shopxorders"));
  CHECK_FALSE(patterns.wants("shop.orders2"));
  CHECK_FALSE(patterns.wants("a.shop.orders"));
  CHECK(patterns.subscription() == std::vector<std::string>{"shop.orders"});
}

TEST_CASE("topics: the star of a glob crosses dots, a question mark is one character") {
  const auto patterns = parsed({"shop.*", "?b-c"});
  CHECK(patterns.wants("shop.public.orders"));
  CHECK(patterns.wants("shop."));
  CHECK_FALSE(patterns.wants("shop"));
  CHECK_FALSE(patterns.wants("shopx.orders"));
  CHECK(patterns.wants("ab-c"));
  CHECK_FALSE(patterns.wants("b-c"));
  CHECK_FALSE(patterns.wants("aab-c"));
}

TEST_CASE("topics: globs leave out names that begin with two underscores") {
  const auto patterns = parsed({"*", "??consumer*", "_*_*"});
  CHECK(patterns.wants("orders"));
  CHECK(patterns.wants("_schemas"));
  CHECK(patterns.wants("_a_b"));
  CHECK(patterns.wants("a__b"));
  CHECK(patterns.wants("_"));
  CHECK_FALSE(patterns.wants("__consumer_offsets"));
  CHECK_FALSE(patterns.wants("__"));
}

TEST_CASE("topics: a glob that begins with two underscores means it, and so does a plain name") {
  CHECK(parsed({"__tx*"}).wants("__tx_state"));
  CHECK(parsed({"__consumer_offsets"}).wants("__consumer_offsets"));
}

TEST_CASE("topics: every glob agrees with a plain reading of it, apart from names with two underscores in front") {
  const auto reads = [](auto&& self, std::string_view glob, std::string_view name) -> bool {
    if (glob.empty()) return name.empty();
    if (glob[0] == '*') return self(self, glob.substr(1), name) || (!name.empty() && self(self, glob, name.substr(1)));
    return !name.empty() && (glob[0] == '?' || glob[0] == name[0]) && self(self, glob.substr(1), name.substr(1));
  };
  std::vector<std::string> names = {""};
  for (size_t first = 0, length = 0; length < 5; ++length) {
    const size_t last = names.size();
    for (; first < last; ++first) {
      for (const char c : {'_', 'a', '.'}) names.push_back(names[first] + c);
    }
  }
  for (const std::string glob : {"*", "?*", "*?", "_*", "*_", "*_a", "??", "?_*", "**a", "_?*", "*__*", "*._", "*a*", "_*_"}) {
    const auto patterns = parsed({glob});
    for (const auto& name : names) {
      if (name.empty()) continue;
      CAPTURE(glob);
      CAPTURE(name);
      CHECK(patterns.wants(name) == (name.substr(0, 2) != "__" && reads(reads, glob, name)));
    }
  }
}

TEST_CASE("topics: an expression matches whole names, alternatives included") {
  const auto patterns = parsed({"re:audit[0-9]+|log"});
  CHECK(patterns.wants("audit12"));
  CHECK(patterns.wants("log"));
  CHECK_FALSE(patterns.wants("audit"));
  CHECK_FALSE(patterns.wants("catalog"));
  CHECK_FALSE(patterns.wants("audit1x"));
  CHECK(patterns.subscription() == std::vector<std::string>{"^(audit[0-9]+|log)$"});
  CHECK(patterns.open() == std::vector<std::string>{"re:audit[0-9]+|log"});
}

TEST_CASE("topics: what can name no topic is refused") {
  CHECK(refusal("a b").find("'a b'") != std::string::npos);
  CHECK(refusal("").find("empty") != std::string::npos);
  CHECK(refusal(std::string(250, 'a')).find("249") != std::string::npos);
  CHECK(refusal("re:a(").find("re:a(") != std::string::npos);
  TopicPatterns patterns;
  CHECK(TopicPatterns::parse({}, patterns).code() == CDCRT_BAD_CONFIG);
}
