#include "cdcrt/sdk/json_parse.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace cdcrt::sdk;

namespace {

/// Every token with what it says of the text, or the error.
std::string shown(const JsonTape& tape, bool parsed) {
  if (!parsed) return "refused at " + std::to_string(tape.error().offset) + ": " + tape.error().what;
  std::string out;
  for (uint32_t i = 0; i < tape.size(); ++i) {
    const JsonToken& token = tape[i];
    out += std::string(describe(token.kind)) + " to " + std::to_string(token.next) + " of " + std::to_string(token.size);
    if (token.kind == JsonKind::kNumber || token.kind == JsonKind::kString) out += " '" + std::string(tape.text(i)) + "'";
    if (token.kind >= JsonKind::kNumber) out += " at " + std::to_string(tape.offset(i)) + " raw " + std::string(tape.raw(i));
    out += "\n";
  }
  return out;
}

struct Both {
  JsonTape quick, whole;

  bool agree(const std::string& text) {
    const std::string one = shown(quick, parse_json(text, quick));
    const std::string other = shown(whole, JsonParser(text, whole).run_whole());
    if (one == other) return true;
    MESSAGE(text << "\n--- quick\n" << one << "--- whole\n" << other);
    return false;
  }
};

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  std::string text() {
    std::string out = space();
    value(out, 0);
    return out + space();
  }
  /// A text with one byte changed, left out, doubled or put in, or cut short.
  std::string damaged(std::string text) {
    static constexpr char kBytes[] = "{}[]\",:\\/0123456789.-+eEntfu \n\t\x01\x7F\xC3\xA9\xFF\0";
    const std::size_t at = below(static_cast<unsigned>(text.size()) + 1);
    const char byte = kBytes[below(sizeof kBytes)];
    switch (below(5)) {
      case 0: text.insert(at, 1, byte); break;
      case 1: text.erase(at, 1 + below(2)); break;
      case 2: text.resize(at); break;
      case 3: text.insert(at, text.substr(at, below(4))); break;
      default:
        if (at < text.size()) text[at] = byte;
    }
    return text;
  }
  unsigned below(unsigned limit) { return random_() % limit; }

 private:
  std::string space() {
    static constexpr const char* kSpaces[] = {"", "", "", "", " ", "\n", "\r\n\t", "                       "};
    return kSpaces[below(8)];
  }
  void value(std::string& out, int depth) {
    const unsigned kind = below(depth > 4 ? 6 : 10);
    if (kind < 3) return string(out);
    if (kind < 5) return number(out);
    if (kind == 5) {
      static constexpr const char* kWords[] = {"null", "true", "false", "NaN", "Infinity", "-Infinity", "nul"};
      out += kWords[below(below(20) == 0 ? 7 : 3)];
      return;
    }
    const bool object = kind < 9;
    out += object ? "{" : "[";
    const unsigned count = below(6);
    for (unsigned i = 0; i < count; ++i) {
      out += (i == 0 ? "" : ",") + space();
      if (object) {
        string(out);
        out += space() + ":" + space();
      }
      value(out, depth + 1);
      out += space();
    }
    out += count == 0 ? space() : "";
    out += object ? "}" : "]";
  }
  void string(std::string& out) {
    static constexpr const char* kPieces[] = {"a",
                                              "name",
                                              "\\\"",
                                              "\\\\",
                                              "\\/",
                                              "\\n",
                                              "\\b\\f\\r\\t",
                                              " ",
                                              "\xC3\xA9",
                                              "\xF0\x9F\x98\x80",
                                              "{",
                                              "0123456789abcdef",
                                              ",",
                                              "\\u00e9",
                                              "\\ud83d\\ude00",
                                              "\\udc00"};
    out += '"';
    for (unsigned count = below(8); count > 0; --count) out += kPieces[below(below(6) == 0 ? 16 : 13)];
    out += '"';
  }
  void number(std::string& out) {
    static constexpr const char* kNumbers[] = {"0",   "-0",      "1",      "-17",     "1.5", "0.000", "123456789012345678901234567890",
                                               "1e5", "-2.5E-3", "1E+400", "1e-9999", "01",  "1.",    "-",
                                               ".5",  "+1",      "0x1"};
    out += kNumbers[below(below(20) == 0 ? 17 : 11)];
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("json: what the quick parser takes gives the tokens that the whole one gives") {
  Both both;
  Maker maker(1);  // NOLINT: the same in each run
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = maker.text();
    REQUIRE(both.agree(text));
    REQUIRE(both.agree(maker.damaged(text)));
  }
}

TEST_CASE("json: edges of blocks, of nesting and of what a tape holds are the same for both parsers") {
  Both both;
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string plain(size, 'x');
    for (const char* end : {"\"", "\\\"\"", "\\", "\n\"", "", "\\u0041\""}) {
      REQUIRE(both.agree("\"" + plain + end));
      REQUIRE(both.agree("{\"" + plain + end + ":" + plain + "}"));
    }
    REQUIRE(both.agree(std::string(size, ' ') + "1" + std::string(size, ' ')));
    REQUIRE(both.agree(std::string(size, '[') + std::string(size, ']')));
    REQUIRE(both.agree("{\"a\":" + std::string(size, '[') + "1" + std::string(size, ']') + "}"));
    REQUIRE(both.agree(plain + std::string(1, '\0')));
    REQUIRE(both.agree("[1" + std::string(size, '\0') + "]"));
  }
  REQUIRE(both.agree(std::string(201, '[') + std::string(201, ']')));
  std::string many = "[";
  for (int i = 0; i < 5'000; ++i) many += i == 0 ? "{}" : ",{}";
  REQUIRE(both.agree(many + "]"));
  CHECK(both.quick.size() == 5'001);
}
