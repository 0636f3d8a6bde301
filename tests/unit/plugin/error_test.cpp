// What a plugin says of a failure, as the host keeps it.
#include <doctest/doctest.h>

#include "diagnostics/plugin_error.hpp"

TEST_CASE("plugin: a message that is cut within a character is text all the same, which a target and JSON can keep") {
  std::string message = "syntax error at or near \"\xc3\"", hint = "\xff\xfe";
  cdcrt_error error{};
  error.code = CDCRT_BAD_RECORD;
  error.message = message.data();
  error.hint = hint.data();
  const cdcrt::Error found = cdcrt::diagnostics::to_error(error);
  CHECK(found.message == "syntax error at or near \"\uFFFD\"");
  CHECK(found.hint == "\uFFFD\uFFFD");
}
