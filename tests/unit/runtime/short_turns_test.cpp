#include "runtime/short_turns.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

namespace {

struct Attributes {
  uint32_t size = sizeof(Attributes), policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
};

Attributes now() {
  Attributes own;
  REQUIRE(::syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) == 0);
  return own;
}

/// In a thread of its own, whose scheduling ends with it.
template <class Body>
void apart(Body&& body) {
  std::thread(body).join();
}

}  // namespace

TEST_CASE("short turns: the thread and those that it starts ask for them, and stay as nice as they were") {
  apart([] {
    REQUIRE(::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 7) == 0);
    const Attributes before = now();
    const bool is_short = cdcrt::runtime::ask_for_short_turns(0, true);
    const auto check = [&] {
      const Attributes after = now();
      CHECK(after.policy == before.policy);
      CHECK(after.nice == 7);
      // Kernels that know turns tell theirs.
      CHECK(is_short == (before.runtime != 0));
      CHECK(after.runtime == (is_short ? 100'000 : before.runtime));
    };
    check();
    apart(check);
  });
}

TEST_CASE("short turns: a policy of its own is left to who gave it") {
  apart([] {
    sched_param none{};
    REQUIRE(::sched_setscheduler(0, SCHED_BATCH, &none) == 0);
    const Attributes before = now();
    CHECK_FALSE(cdcrt::runtime::ask_for_short_turns(0, true));
    CHECK(now().policy == SCHED_BATCH);
    CHECK(now().runtime == before.runtime);
  });
}

TEST_CASE("short turns: all threads ask for them while few rows come, and for none under a backlog") {
  using namespace std::chrono_literals;
  const uint64_t usual = now().runtime;
  const auto everywhere = [] {
    uint64_t of_other = 0;
    apart([&] { of_other = now().runtime; });  // started by this thread
    CHECK(of_other == now().runtime);
    return now().runtime;
  };
  cdcrt::runtime::ShortTurns turns;
  cdcrt::runtime::ShortTurns::Clock::time_point at(1h);
  const auto after = [&](uint64_t rows) {
    turns.step(rows, at += 1s);
    return everywhere();
  };
  const uint64_t few = usual == 0 ? 0 : 100'000;
  CHECK(after(100) == few);
  CHECK(after(1'100) == few);
  CHECK(after(101'100) == usual);
  CHECK_FALSE(turns.are_asked_for());
  turns.step(101'101, at + 1ms);  // too early to tell
  CHECK(everywhere() == usual);
  CHECK(after(101'102) == few);
  CHECK(turns.are_asked_for());
  CHECK(cdcrt::runtime::ask_for_short_turns(0, false) == (usual != 0));
}
