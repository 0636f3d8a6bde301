#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/utf8.hpp"

using namespace cdcrt::sdk;

TEST_CASE("base64: the vectors of RFC 4648") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : rows) {
    CHECK(encode_base64(bytes) == text);
    CHECK(decode_base64(text) == std::string(bytes));
  }
  CHECK(encode_base64("\xfb\xff\xfe") == "+//+");
  CHECK(encode_base64_url("\xfb\xff\xfe\xff") == "-__-_w");
  CHECK(decode_base64("-__-_w") == std::string("\xfb\xff\xfe\xff"));
  CHECK(decode_base64("-__-_w==") == std::string("\xfb\xff\xfe\xff"));
}

TEST_CASE("base64: any bytes come back, in both alphabets") {
  std::mt19937_64 random(64);
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes(random() % 100, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    REQUIRE(decode_base64(encode_base64(bytes)) == bytes);
    REQUIRE(decode_base64(encode_base64_url(bytes)) == bytes);
  }
}

TEST_CASE("base64: what is none is refused") {
  for (const std::string text :
       {"A", "AA=", "AAA==", "=", "==", "A===", "AA==A", "A A=", "AA\n=", "AAAAA", "AB==", "AAB=", "AA!A", "AA=A", "AAAA="}) {
    INFO(text);
    CHECK_FALSE(decode_base64(text));
  }
}

TEST_CASE("utf8: valid sequences are told from broken ones") {
  for (const std::string text :
       {"", "a", "\xC3\xA9", "\xE6\xBC\xA2", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80"})
    CHECK(is_utf8(text));
  for (const std::string text : {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                                 "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE6\xBC",
                                 "\xE6\xBC"
                                 "a",
                                 "\xF0\x9F\x98"}) {
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(is_utf8(std::string_view("a\0b", 3)));
}

TEST_CASE("utf8: characters are counted and never cut") {
  const std::string text = "a\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80z";
  CHECK(count_characters(text) == 5);
  const std::size_t ends[] = {0, 1, 3, 6, 10, 11, 11};
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(first_characters(text, i).size() == ends[i]);
    CHECK(is_utf8(first_characters(text, i)));
  }
}
