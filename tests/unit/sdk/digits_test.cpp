#include "cdcrt/sdk/digits.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <random>
#include <string>

#include "cdcrt/sdk/source_order.hpp"

using namespace cdcrt::sdk;

namespace {

template <typename Number>
bool standard(std::string_view text, Number& value) {
  Number read = 0;  // it takes a number that something else follows
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), read);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return false;
  value = read;
  return true;
}

void check_as_standard(const std::string& text) {
  CAPTURE(text);
  uint64_t natural = 7, standard_natural = 7;
  CHECK(parse_natural(text, natural) == standard(text, standard_natural));
  CHECK(natural == standard_natural);
  int64_t integer = 7, standard_integer = 7;
  CHECK(parse_integer(text, integer) == standard(text, standard_integer));
  CHECK(integer == standard_integer);
}

}  // namespace

TEST_CASE("digits are read as the standard library reads them, at every length and at the limits") {
  for (const char* text : {"",
                           "-",
                           "+1",
                           "-0",
                           "00",
                           "-00000000000000000000000000000000000001",
                           "18446744073709551615",
                           "18446744073709551616",
                           "99999999999999999999",
                           "000000000000000000018446744073709551615",
                           "9223372036854775807",
                           "9223372036854775808",
                           "-9223372036854775808",
                           "-9223372036854775809",
                           "1 ",
                           " 1",
                           "1.0",
                           "1e3",
                           "--1",
                           "12345678901234567890123"})
    check_as_standard(text);
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random() % 4 == 0 ? "-" : "";
    const std::size_t digits = random() % 23;
    for (std::size_t k = 0; k < digits; ++k) text += static_cast<char>('0' + random() % 10);
    check_as_standard(text);
    // Any one byte that is no digit, wherever it stands, is met.
    if (!text.empty()) text[random() % text.size()] = static_cast<char>(random() % 256);
    check_as_standard(text);
  }
}

TEST_CASE("an order that tells its log keeps its bytes: they are compared with stored ones") {
  std::string order;
  append_order(order, 0x0102030405060708);
  append_log(order, {0x1112131415161718, 0x2122232425262728, "7", "mysql-bin", "uuid", 0x3132333435363738});
  std::string expected = "\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28";
  for (const char* text : {"7", "mysql-bin", "uuid"}) {
    for (int shift = 24; shift >= 0; shift -= 8) expected += static_cast<char>(log_mark(text) >> shift);
  }
  expected += "\x31\x32\x33\x34\x35\x36\x37\x38\xFFLOG";
  CHECK(order == expected);
}
