#include <doctest/doctest.h>

#include "apply/outcome.hpp"

using namespace cdcrt;
using apply::Next;
using apply::Outcome;

namespace {

Next next_after(cdcrt_code code) { return Outcome(make_error(code, "why")).next(); }

}  // namespace

TEST_CASE("outcome: what happens next follows from the class of an error where nothing else is known") {
  CHECK(Outcome().next() == Next::kDone);
  CHECK(Outcome(Result<void>()));
  CHECK(next_after(CDCRT_BAD_RECORD) == Next::kIsolate);
  CHECK(next_after(CDCRT_STALE_SCHEMA) == Next::kLookAgain);
  CHECK(next_after(CDCRT_BUSY) == Next::kWaitForLock);
  CHECK(next_after(CDCRT_RETRY) == Next::kWaitForTarget);
  CHECK(next_after(CDCRT_UNREACHABLE) == Next::kWaitForTarget);
  CHECK(next_after(CDCRT_FATAL) == Next::kStop);
  for (const cdcrt_code code : {CDCRT_UNSUPPORTED, CDCRT_BAD_CONFIG, CDCRT_AUTH}) CHECK(next_after(code) == Next::kDetach);
}

TEST_CASE("outcome: whoever knows more says what happens next, and the error stays as it was told") {
  const auto refused = Outcome::detach(make_error(CDCRT_BAD_RECORD, "a definition is refused"));
  CHECK(refused.next() == Next::kDetach);
  CHECK(refused.error().code == CDCRT_BAD_RECORD);
  const auto held = Outcome::wait_for_target(make_error(CDCRT_BUSY, "the old transaction is there"));
  CHECK(held.next() == Next::kWaitForTarget);
  CHECK(held.waits());
  CHECK(held.error().code == CDCRT_BUSY);
  const auto changed = Outcome::repeat("another process changed it");
  CHECK(changed.next() == Next::kRepeat);
  CHECK_FALSE(changed.waits());
  CHECK(explain(changed.error()) == "another process changed it");
}
