#include "diagnostics/suggestion.hpp"

#include <doctest/doctest.h>

#include "diagnostics/codes.hpp"

using namespace cdcrt::diagnostics;

TEST_CASE("distance: insertions, deletions, replacements and swaps of neighbours count one") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("brokers", "brokers") == 0);
  CHECK(edit_distance("borkers", "brokers") == 1);
  CHECK(edit_distance("brokrs", "brokers") == 1);
  CHECK(edit_distance("Brokers", "brokers") == 0);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance(std::string(100000, 'x'), "y") == 100000);
}

TEST_CASE("suggestion: the name that was meant is found") {
  struct Case {
    const char *wrong, *expected;
  };
  const std::vector<std::string> keys = {"plugin",  "batch",  "connections", "connection", "progress_schema", "max_rows",    "max_bytes",
                                         "max_age", "format", "brokers",     "topics",     "decode_workers",  "min_interval"};
  const Case cases[] = {{"bach_rows", "max_rows"},
                        {"rows_max", "max_rows"},
                        {"maxrows", "max_rows"},
                        {"max-rows", "max_rows"},
                        {"MAX_ROWS", "max_rows"},
                        {"byte_max", "max_bytes"},
                        {"borkers", "brokers"},
                        {"topic", "topics"},
                        {"plugni", "plugin"},
                        {"conections", "connections"},
                        {"workers", "decode_workers"},
                        {"decode_worker", "decode_workers"},
                        {"zzz", ""},
                        {"", ""},
                        {"schema_progress", "progress_schema"},
                        {"interval_min", "min_interval"}};
  for (const auto& [wrong, expected] : cases) {
    CAPTURE(wrong);
    CHECK(nearest(wrong, keys).value_or("") == std::string(expected));
  }
}

TEST_CASE("suggestion: what is far from everything gets the list when it is short") {
  CHECK(did_you_mean("zzzzzz", {"apply", "ignore"}) == "allowed here: apply, ignore");
  CHECK(did_you_mean("aply", {"apply", "ignore"}) == "did you mean 'apply'?");
  CHECK(did_you_mean("zzzzzz", std::vector<std::string>(13, "key")).empty());
  CHECK(did_you_mean("x", {}).empty());
}

TEST_CASE("suggestion: a mistyped name is told from one that is only similar") {
  for (const auto& [wrong, name] :
       {std::pair{"emial", "email"}, {"Email", "email"}, {"snn", "ssn"}, {"custmer_id", "customer_id"}, {"idd", "id"}}) {
    CAPTURE(wrong);
    CHECK(is_slip(wrong, name));
  }
  for (const auto& [wrong, name] : {std::pair{"email", "email"},
                                    {"email2", "email"},
                                    {"address_2", "address_1"},
                                    {"note", "name"},
                                    {"x", "y"},
                                    {"telephone", "email"}}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_slip(wrong, name));
  }
}

TEST_CASE("codes: every code is there once, ascending, with a meaning, and of a known family") {
  const auto codes = all_codes();
  REQUIRE(codes.size() > 20);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    CAPTURE(codes[i].code);
    CHECK(codes[i].code.size() == 5);
    CHECK(codes[i].code.substr(0, 2) == "E0");
    CHECK(codes[i].code[2] >= '1');
    CHECK(codes[i].code[2] <= '6');
    CHECK(codes[i].meaning.size() > 10);
    CHECK(codes[i].meaning.find('\n') == std::string_view::npos);
    if (i > 0) CHECK(codes[i - 1].code < codes[i].code);
  }
  CHECK(is_environment_code(kPluginNotFound));
  CHECK_FALSE(is_environment_code(kUnknownKey));
}
