#include "diagnostics/renderer.hpp"

#include <doctest/doctest.h>

#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/text.hpp"

using namespace cdcrt::diagnostics;

namespace {

Diagnostic unknown_key(Position position) {
  return {"E0203", Severity::kError, std::move(position), "unknown key 'bach_rows' in [sinks.warehouse.batch]", "did you mean 'max_rows'?",
          {}};
}

}  // namespace

TEST_CASE("renderer: a diagnostic is place, code, message, line, caret and help") {
  SourceTexts texts;
  texts.add("shop.toml", "[sinks.warehouse.batch]\nbach_rows = 5\n");
  CHECK(render(unknown_key({"shop.toml", 2, 1, 9}), texts, false) ==
        "shop.toml:2:1: error[E0203]: unknown key 'bach_rows' in [sinks.warehouse.batch]\n"
        "  bach_rows = 5\n"
        "  ^~~~~~~~~\n"
        "help: did you mean 'max_rows'?\n");
}

TEST_CASE("renderer: carets stand under the token") {
  struct Case {
    const char* line;
    uint32_t column, length;
    const char* marks;
  };
  const Case cases[] = {
      {"\tkey = 5", 2, 3, "  \t^~~"},
      {"\t\tkey = 5", 3, 3, "  \t\t^~~"},
      {"gr\u00f6\u00dfe = 1, x = 2", 12, 1, "             ^"},
      {"\u65e5\u672c = 1", 1, 2, "  ^~~~"},  // two columns each
      {"\u65e5\u672c = 1", 6, 1, "         ^"},
      {"e\u0301 = 1", 4, 1, "    ^"},  // a combining accent takes no column
      {"key =", 6, 1, "       ^"},     // behind the end
      {"key", 1, 99, "  ^~~"},         // never beyond the line
      {"", 1, 1, "  ^"},
  };
  for (const auto& [line, column, length, marks] : cases) {
    CAPTURE(line);
    SourceTexts texts;
    texts.add("f", std::string(line) + "\nlast");
    CHECK(render({"E0101", Severity::kError, {"f", 1, column, length}, "m", "", {}}, texts, false) ==
          "f:1:" + std::to_string(column) + ": error[E0101]: m\n  " + line + "\n" + marks + "\n");
  }
}

TEST_CASE("renderer: a position without line or file shows none") {
  const SourceTexts texts;
  CHECK(render({"E0201", Severity::kError, {"f.toml", 0, 0, 1}, "the manifest has no source", "", {}}, texts, false) ==
        "f.toml: error[E0201]: the manifest has no source\n");
  CHECK(render({"E0102", Severity::kWarning, {}, "m", "h", {"n1", "n2"}}, texts, false) ==
        "warning[E0102]: m\nhelp: h\nnote: n1\nnote: n2\n");
  CHECK(render(unknown_key({"gone.toml", 7, 1, 9}), texts, false).starts_with("gone.toml:7:1: error"));
}

TEST_CASE("renderer: a long line is shown around the token") {
  SourceTexts texts;
  texts.add("f", std::string(100000, 'a') + "X" + std::string(100000, 'b'));
  const auto text = render({"E0101", Severity::kError, {"f", 1, 100001, 1}, "m", "", {}}, texts, false);
  CHECK(text.size() < 500);
  const auto line = text.substr(text.find('\n') + 1);
  const auto marks = line.substr(line.find('\n') + 1);
  CHECK(line.find('X') == marks.find('^'));
}

TEST_CASE("renderer: nothing of a file or a name moves the cursor") {
  SourceTexts texts;
  texts.add("f", "a = \"\x1b[2J\x07\"\r\n");
  const auto text = render({"E0101", Severity::kError, {"f\x1b[1m", 0, 0, 1}, "m\x1b[31m\nx", "h\r", {"n\x9b"}}, texts, false) +
                    render({"E0101", Severity::kError, {"f", 1, 1, 1}, "m", "", {}}, texts, false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find("\\x1b[2J\\x07") != std::string::npos);
}

TEST_CASE("renderer: colour only when asked for") {
  SourceTexts texts;
  texts.add("f", "key = 5\n");
  const auto coloured = render(unknown_key({"f", 1, 1, 3}), texts, true);
  CHECK(coloured.find("\x1b[") != std::string::npos);
  CHECK(render(unknown_key({"f", 1, 1, 3}), texts, false).find("\x1b[") == std::string::npos);
}

TEST_CASE("renderer: all of them end with a count") {
  const SourceTexts texts;
  const Diagnostic one{"E0201", Severity::kError, {}, "m", "", {}};
  CHECK(render(std::vector<Diagnostic>{}, texts, false).empty());
  CHECK(render(std::vector{one}, texts, false) == "error[E0201]: m\n\n1 error\n");
  CHECK(render(std::vector{one, one}, texts, false).ends_with("\n2 errors\n"));
}

TEST_CASE("renderer: JSON holds everything and is escaped") {
  const Diagnostic diagnostic{"E0203", Severity::kError, {"a\"b.toml", 3, 4, 5}, "m\n\x01", "h\\", {"n\xff"}};
  CHECK(render_json({diagnostic}) ==
        "{\"diagnostics\":[{\"code\":\"E0203\",\"severity\":\"error\",\"file\":\"a\\\"b.toml\",\"line\":3,\"column\":4,\"length\":5,"
        "\"message\":\"m\\n\\u0001\",\"help\":\"h\\\\\",\"notes\":[\"n\xEF\xBF\xBD\"]}]}\n");
  CHECK(render_json({}) == "{\"diagnostics\":[]}\n");
}

TEST_CASE("source texts: values of keys that name a secret are covered, parsed or not") {
  struct Case {
    const char *line, *shown;
  };
  const Case cases[] = {
      {"PWD = \"hunter2\"", "PWD = ***"},
      {"c = { Driver = \"x\", Pwd = \"hun, }ter2\", z = 1 }", "c = { Driver = \"x\", Pwd = ***, z = 1 }"},
      {"c = { Password='hunter2', z = 1 }", "c = { Password=***, z = 1 }"},
      {"\"sasl.password\" = \"hu\\\"nter2\" # note", "\"sasl.password\" = *** # note"},
      {"PWD = hunter2 unquoted", "PWD = ***"},
      {"secret_key=\"hunter2", "secret_key=***"},
      {"token = \"\"\"hunter2", "token = ***"},
      {"api-key = 5", "api-key = ***"},
      {"plugin = \"kafka\"", "plugin = \"kafka\""},
  };
  for (const auto& [line, shown] : cases) {
    CAPTURE(line);
    SourceTexts texts;
    texts.add("f", line);
    CHECK(texts.line({"f", 1, 1, 1})->text == shown);
  }
}

TEST_CASE("source texts: a covered value keeps the caret right") {
  SourceTexts texts;
  texts.add("f", "key = \"hunter2\", other = 1");
  texts.mask({"f", 1, 7, 9});
  const auto other = texts.line({"f", 1, 18, 5});
  CHECK(other->text == "key = ***, other = 1");
  CHECK(other->column == 12);
  CHECK(other->length == 5);
  const auto covered = texts.line({"f", 1, 7, 9});
  CHECK(covered->column == 7);
  CHECK(covered->length == 3);
  const auto inside = texts.line({"f", 1, 9, 2});
  CHECK(inside->column == 7);
}

TEST_CASE("source texts: a covered value of several lines is covered on each") {
  SourceTexts texts;
  texts.add("f", "k = \"\"\"hunter\nsecond\nthird\"\"\" # end");
  texts.mask({"f", 1, 5, 9 + 1 + 6 + 1 + 8});
  CHECK(texts.line({"f", 1, 1, 1})->text == "k = ***");
  CHECK(texts.line({"f", 2, 1, 1})->text == "***");
  CHECK(texts.line({"f", 3, 1, 1})->text == "*** # end");
}

TEST_CASE("text: invalid UTF-8 is found at its byte") {
  CHECK(cdcrt::sdk::find_invalid_utf8("") == std::string_view::npos);
  CHECK(cdcrt::sdk::find_invalid_utf8("gr\u00f6\u00dfe \U0001F600") == std::string_view::npos);
  CHECK(cdcrt::sdk::find_invalid_utf8("ab\xff") == 2);
  CHECK(cdcrt::sdk::find_invalid_utf8("a\xc3") == 1);
  CHECK(cdcrt::sdk::find_invalid_utf8("\xc0\x80") == 0);          // overlong
  CHECK(cdcrt::sdk::find_invalid_utf8("\xed\xa0\x80") == 0);      // surrogate
  CHECK(cdcrt::sdk::find_invalid_utf8("\xf4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(count_characters("gr\u00f6\u00dfe") == 5);
}

TEST_CASE("text: quotes are cut and printable") {
  CHECK(quote("a\nb") == "'a\\nb'");
  CHECK(quote(std::string(200, 'x')) == "'" + std::string(80, 'x') + "...'");
}
