#include "open_files.hpp"

#include <doctest/doctest.h>

using namespace cdcrt::kafka_source;

TEST_CASE("open files: more topics than one client fetches open more, by clients and brokers") {
  CHECK(clients_of(200, 200) == clients_of(1, 200));
  CHECK(clients_of(201, 200) == clients_of(200, 200) + 2);
  CHECK(clients_of(10'000, 200) == clients_of(200, 200) + 50);
  CHECK(clients_of(7, 0) == clients_of(0, 0) + 7);
  CHECK(open_files(200, 200, 6) > open_files(200, 200, 3));
  // A connection for each of 50 clients and 3 brokers, and what wakes the thread of each.
  CHECK(open_files(10'000, 200, 3) - open_files(200, 200, 3) >= 50 * 3 * 3);
}
