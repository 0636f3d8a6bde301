#include "cdcrt/sdk/json_check.hpp"

#include <doctest/doctest.h>

#include <string>

using cdcrt::sdk::is_json;

TEST_CASE("json: a text is one value or none") {
  for (const std::string good :
       {"1", "null", "true", "false", "\"\"", "{}", "[]", " [ ] ", " {\"a\":[1,2.50,\"\\u00e9\\n\"], \"a\" : {} } ", "-0.0e-999999",
        "1e999999", "1E+5", "0", "-1", "[[],{},[{}]]", "\"\xC3\xA9\"", "\r\n\t1\n", "\"\\ud800\""}) {
    INFO(good);
    CHECK(is_json(good));
  }
  for (const std::string bad : {"",
                                " ",
                                "{",
                                "}",
                                "[",
                                "]",
                                "[1,]",
                                "[,1]",
                                "{a:1}",
                                "{\"a\"}",
                                "{\"a\":}",
                                "{\"a\":1,}",
                                "{,}",
                                "{1:2}",
                                "01",
                                "-",
                                "+1",
                                ".5",
                                "1.",
                                "1e",
                                "1e+",
                                "0x1",
                                "NaN",
                                "Infinity",
                                "nul",
                                "truex",
                                "\"",
                                "\"\\",
                                "\"\\x\"",
                                "\"\\u12\"",
                                "\"\\u12g4\"",
                                "\"\n\"",
                                "\"\xff\"",
                                "1 2",
                                "'a'",
                                "[1]x",
                                "[1}",
                                "{\"a\":1]",
                                "/**/1",
                                "\xEF\xBB\xBF"
                                "1"}) {
    INFO(bad);
    CHECK_FALSE(is_json(bad));
  }
  CHECK_FALSE(is_json(std::string("[1]\0", 4)));
  CHECK_FALSE(is_json(std::string("[1]\0[", 5)));
  CHECK_FALSE(is_json(std::string("\"\0\"", 3)));
}

TEST_CASE("json: digits and depth have no limit") {
  CHECK(is_json(std::string(400, '7')));
  CHECK(is_json("0." + std::string(400, '7')));
  CHECK(is_json(std::string(1'000'000, '[') + std::string(1'000'000, ']')));
  CHECK_FALSE(is_json(std::string(1'000'000, '[') + std::string(999'999, ']')));
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "{\"a\":[";
  for (int i = 0; i < 100'000; ++i) nested += "]}";
  CHECK_FALSE(is_json(nested.substr(0, nested.size() - 1)));
  CHECK(is_json(nested));
}
