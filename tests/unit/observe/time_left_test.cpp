#include "observe/time_left.hpp"

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using cdcrt::observe::TimeLeft;

struct Load {
  TimeLeft left;
  TimeLeft::Clock::time_point now{1h};
  uint64_t done = 0, end = 1'000'000;

  void look(uint64_t parts = 1) { left.add(now, done, end - done, parts); }
  /// So many rows a second are read and so many arrive.
  void run(std::chrono::seconds time, uint64_t read, uint64_t arrive = 0) {
    for (auto past = 0s; past < time; past += 5s) {
      now += 5s;
      done += 5 * read;
      end += 5 * arrive;
      look();
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(Load, "time left: what is left, by how fast it grows less") {
  look();
  run(30s, 1'000);
  REQUIRE(left.seconds(now));
  CHECK(*left.seconds(now) == doctest::Approx(970));
  // Between two looks it goes on.
  CHECK(*left.seconds(now + 3s) == doctest::Approx(967));
}

TEST_CASE_FIXTURE(Load, "time left: not known before it was measured") {
  CHECK_FALSE(left.seconds(now));
  look();
  CHECK_FALSE(left.seconds(now));
  now += 1s;
  done += 1'000;
  look();
  CHECK_FALSE(left.seconds(now));
}

TEST_CASE_FIXTURE(Load, "time left: what arrives meanwhile counts") {
  look();
  run(30s, 1'000, 500);
  REQUIRE(left.seconds(now));
  CHECK(*left.seconds(now) == doctest::Approx(985'000.0 / 500));
}

TEST_CASE_FIXTURE(Load, "time left: not known where as much arrives as is read") {
  look();
  run(30s, 1'000, 1'000);
  CHECK_FALSE(left.seconds(now));
  run(30s, 1'000, 1'200);
  CHECK_FALSE(left.seconds(now));
}

TEST_CASE_FIXTURE(Load, "time left: none where everything is read, and where what arrives is read within seconds") {
  end = 0;
  look();
  CHECK(left.seconds(now) == 0.0);
  end = 4'000;
  run(30s, 1'000, 1'000);
  CHECK(left.seconds(now) == 0.0);
}

TEST_CASE_FIXTURE(Load, "time left: the last seconds of what does not grow are told, not taken for following") {
  end = 33'000;
  look();
  run(30s, 1'000);
  REQUIRE(left.seconds(now));
  CHECK(*left.seconds(now) == doctest::Approx(3));
}

TEST_CASE_FIXTURE(Load, "time left: not known once nothing moves any more") {
  look();
  run(30s, 1'000);
  CHECK(left.seconds(now));
  run(25s, 0);
  CHECK_FALSE(left.seconds(now));
}

TEST_CASE_FIXTURE(Load, "time left: what was long ago does not count") {
  look();
  run(600s, 1'000);
  run(60s, 100);
  REQUIRE(left.seconds(now));
  CHECK(*left.seconds(now) == doctest::Approx(static_cast<double>(end - done) / 100));
}

TEST_CASE_FIXTURE(Load, "time left: other partitions, or a log that is read again, count anew") {
  look();
  run(30s, 1'000);
  REQUIRE(left.seconds(now));
  now += 5s;
  look(2);
  CHECK_FALSE(left.seconds(now));
  for (int i = 0; i < 3; ++i) {
    now += 5s;
    done += 5'000;
    look(2);
  }
  REQUIRE(left.seconds(now));
  now += 5s;
  done = 0;
  look(2);
  CHECK_FALSE(left.seconds(now));
}

TEST_CASE_FIXTURE(Load, "time left: beyond a year it is no answer") {
  end = 1'000'000'000'000;
  look();
  run(30s, 1);
  CHECK_FALSE(left.seconds(now));
}

TEST_CASE_FIXTURE(Load, "time left: known between batches of a minute, and not once one takes twice as long as the others did") {
  look();
  for (int batch = 0; batch < 4; ++batch) {
    run(55s, 0);
    run(5s, 12'000);
    REQUIRE(left.seconds(now));
    CHECK(*left.seconds(now) == doctest::Approx(static_cast<double>(end - done) / 1'000));
  }
  const double expected = *left.seconds(now);
  run(55s, 0);
  REQUIRE(left.seconds(now));
  CHECK(*left.seconds(now) == doctest::Approx(expected - 55));
  run(60s, 0);
  CHECK(left.seconds(now));
  run(10s, 0);
  CHECK_FALSE(left.seconds(now));
}

TEST_CASE_FIXTURE(Load, "time left: a last batch that takes longer than the others is not told as nothing left") {
  end = 250'000;
  look();
  run(30s, 0);
  run(5s, 12'000);
  run(30s, 0);
  run(5s, 12'000);
  end = done + 100;
  look();
  run(10s, 0);
  REQUIRE(left.seconds(now));
  CHECK(*left.seconds(now) == 1.0);
}
