#include "silence.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using cdcrt::kafka_source::Silence;

TEST_CASE("silence: a lost connection is an outage when nobody answers for some seconds, however often it is tried again") {
  const auto begin = Silence::Clock::now();
  Silence silence;
  CHECK_FALSE(silence.lasts(begin + 1h));
  silence.answered(begin);
  silence.lost(begin + 1s);
  silence.lost(begin + 4s);
  CHECK_FALSE(silence.lasts(begin + 5s));
  CHECK(silence.lasts(begin + 6s));
  CHECK(silence.lasts(begin + 1h));
}

TEST_CASE("silence: other brokers that answer, and one that comes back, are none") {
  const auto begin = Silence::Clock::now();
  Silence silence;
  silence.lost(begin + 1s);
  silence.answered(begin + 2s);
  CHECK_FALSE(silence.lasts(begin + 1h));
  silence.lost(begin + 10s);
  CHECK_FALSE(silence.lasts(begin + 14s));
  CHECK(silence.lasts(begin + 15s));
  silence.answered(begin + 16s);
  CHECK_FALSE(silence.lasts(begin + 17s));
}

TEST_CASE("silence: brokers that were never reached are an outage as well") {
  const auto begin = Silence::Clock::now();
  Silence silence;
  silence.lost(begin);
  CHECK(silence.lasts(begin + 5s));
}

TEST_CASE("silence: whoever is asked again after a rest is given its time to answer, whenever a connection was lost") {
  const auto begin = Silence::Clock::now();
  Silence silence;
  silence.answered(begin);
  silence.lost(begin + 1s);
  silence.rested(begin + 1h);
  CHECK_FALSE(silence.lasts(begin + 1h));
  CHECK(silence.lasts(begin + 1h + 5s));
  silence.answered(begin + 2h);
  silence.rested(begin + 3h);
  CHECK_FALSE(silence.lasts(begin + 4h));
}
