#include "kcat/json_text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

#include "kcat/kcat_line.hpp"

using namespace cdcrt;

namespace {

struct Read {
  std::string text;
  std::size_t taken = 0;
  bool is_refused = false;
  bool operator==(const Read&) const = default;
};

/// Byte by byte; knows no \u.
Read slowly(std::string_view from) {
  Read read;
  for (;;) {
    const char c = from[read.taken];
    const std::size_t known = c == '\\' ? std::string_view("\"\\/bfnrt").find(from[read.taken + 1]) : std::string_view::npos;
    if (c == '"') return ++read.taken, read;
    if (static_cast<unsigned char>(c) < 0x20 || (c == '\\' && known == std::string_view::npos)) return read.is_refused = true, read;
    read.text += c == '\\' ? "\"\\/\b\f\n\r\t"[known] : c;
    read.taken += c == '\\' ? 2 : 1;
  }
}

Read quickly(const std::string& text) {
  // Behind the input stands what reading too far would take for a part of it.
  const std::string padded = text + "\n" + std::string(kcat::KcatLine::kPadding - 1, '"');
  std::string out(text.size() + 1 + 16, '\0');
  const auto done = kcat::unescape(padded.data(), out.data());
  out.resize(static_cast<std::size_t>(done.end - out.data()));
  return {out, static_cast<std::size_t>(done.next - padded.data()), done.problem != nullptr};
}

}  // namespace

TEST_CASE("kcat: a string is unescaped alike wherever its escapes and its end stand in a block") {
  for (std::size_t before = 0; before < 140; ++before) {
    for (const char* special : {"\"", "\\\"", "\\\\", "\\\\\\\"", "\\n", "\\x", "\x01", ""}) {
      for (const std::size_t after : {0, 1, 2, 14, 15, 16, 62, 63, 64, 65}) {
        const std::string text = std::string(before, 'a') + special + std::string(after, 'b') + "\"rest";
        CAPTURE(text);
        REQUIRE(quickly(text) == slowly(text));
      }
    }
  }
  CHECK(quickly("endless").is_refused);
  CHECK(quickly(std::string(63, 'x') + "\\").is_refused);
}

TEST_CASE("kcat: random strings are unescaped as byte by byte") {
  std::mt19937 random(3);  // NOLINT: the same in each run
  constexpr const char* kPieces[] = {"\\\"", "\\\\", "\\/", "\\b", "\\t", "a", "schema", "\xC3\xA9", " ", "0123456789abcdef0123456789"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned count = random() % 40; count > 0; --count) text += kPieces[random() % std::size(kPieces)];
    if (random() % 4 == 0) text.insert(random() % (text.size() + 1), 1, static_cast<char>(random() % 40));
    text += "\",";
    CAPTURE(text);
    REQUIRE(quickly(text) == slowly(text + "\n"));
  }
}
