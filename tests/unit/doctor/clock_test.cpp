// What `cdcrt doctor` says of clocks.
#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "cli/clock_checks.hpp"
#include "cli/exit_code.hpp"

using namespace cdcrt;
using namespace cdcrt::cli;
using namespace std::chrono_literals;
using std::chrono::microseconds;

namespace {

struct Judged {
  std::string text;
  int exit_code = 0;
};

Judged judge(microseconds ahead, microseconds accuracy = 0s, microseconds allowed = 0s) {
  std::ostringstream out;
  DoctorReport report(out, false, false);
  check_clocks("sink warehouse", {{"the database", ahead, accuracy, allowed}}, report);
  const int exit_code = report.finish();
  return {out.str(), exit_code};
}

bool has(const Judged& judged, const std::string& text) { return judged.text.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("clock: less than five seconds of difference are well, in both directions") {
  for (const microseconds ahead : {0us, 4'999'999us, -4'999'999us}) {
    const Judged judged = judge(ahead);
    CHECK_MESSAGE(has(judged, "1 ok, 0 warnings, 0 failed"), judged.text);
  }
  CHECK(has(judge(200ms, 1ms), "ok       clock             sink warehouse: that of the database is this machine's, to 0.2 s"));
  CHECK(has(judge(0s, 500ms), "to 0.5 s"));
}

TEST_CASE("clock: from five seconds on it is a warning that says which way, how much, what breaks and what to do") {
  const Judged ahead = judge(5s, 0s);
  CHECK_MESSAGE(has(ahead, "warning  clock             sink warehouse: that of the database is 5.0 s ahead of this machine's"), ahead.text);
  CHECK(has(ahead, "what compares times is wrong by that (lag"));
  CHECK(has(ahead, "fix:"));
  CHECK(has(ahead, "chrony"));
  CHECK(has(ahead, "systemd-timesyncd"));
  CHECK(ahead.exit_code == 0);
  CHECK(has(judge(-3h), "is 180 min behind this machine's"));
  CHECK_FALSE(has(ahead, "signed"));
}

TEST_CASE("clock: what the measuring may be wrong by is in favour of the clock") {
  CHECK(has(judge(6s, 2s), "1 ok"));
  CHECK(has(judge(7s, 2s), "1 warning"));
  CHECK(has(judge(-6s, 2s), "1 ok"));
}

TEST_CASE("clock: where signatures are refused for it, it is a failure, and before that a warning that names the limit") {
  const Judged refused = judge(20min, 1s, 15min);
  CHECK_MESSAGE(has(refused, "failed   clock"), refused.text);
  CHECK(has(refused, "from 15 min on it refuses every request that is signed here"));
  CHECK(refused.exit_code == kEnvironment);
  CHECK(judge(-20min, 1s, 15min).exit_code == kEnvironment);
  const Judged near = judge(15min, 1s, 15min);
  CHECK(has(near, "warning  clock"));
  CHECK(has(near, "from 15 min on it refuses every request that is signed here"));
  CHECK(judge(20min, 0s, 0s).exit_code == 0);
}

TEST_CASE("clock: a question is answered between its start and its end, and an answer of whole seconds may be anywhere in its second") {
  const sdk::ClockQuestion::Time asked(100s);
  const sdk::ClockQuestion question(asked);
  const sdk::Clock exact = question.answered("x", 110s, 0s, asked + 2s);
  CHECK(exact.ahead == 9s);
  CHECK(exact.accuracy == 1s);
  const sdk::Clock seconds = question.answered("x", 100s, 1s, asked);
  CHECK(seconds.ahead == 500ms);
  CHECK(seconds.accuracy == 500ms);
  // This machine's clock was set back in between.
  CHECK(question.answered("x", 100s, 0s, asked - 10s).accuracy == 5s);
}

TEST_CASE("clock: lengths of time are rounded and told in the unit that fits") {
  CHECK(sdk::in_words(0s) == "0.0 s");
  CHECK(sdk::in_words(349ms) == "0.3 s");
  CHECK(sdk::in_words(351ms) == "0.4 s");
  CHECK(sdk::in_words(9'960ms) == "10 s");
  CHECK(sdk::in_words(19min + 59s + 700ms) == "20 min");
  CHECK(sdk::in_words(-12s) == "12 s");
  CHECK(sdk::in_words(20min) == "20 min");
  CHECK(sdk::in_words(-26h) == "26 h");
  CHECK(sdk::in_words(240h) == "10 d");
}
