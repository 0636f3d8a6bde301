#include "apply/log_order.hpp"

#include <doctest/doctest.h>

#include <string>

#include "cdcrt/sdk/source_order.hpp"

using cdcrt::apply::are_of_one_log;

namespace {

std::string order(uint64_t file, uint64_t position, uint64_t time, const char* server = "7") {
  std::string out;
  cdcrt::sdk::append_order(out, file);
  cdcrt::sdk::append_order(out, position);
  cdcrt::sdk::append_log(out, time, server, "binlog");
  return out;
}

}  // namespace

TEST_CASE("log order: a lower place with a later time is of a log that began anew") {
  CHECK_FALSE(are_of_one_log(order(10, 100, 1000), order(1, 4, 5000)));
  CHECK_FALSE(are_of_one_log(order(1, 4, 5000), order(10, 100, 1000)));
  CHECK_FALSE(are_of_one_log(order(10, 100, 1000), order(10, 4, 5000, "8")));
  // In one second, of another server: nobody can tell.
  CHECK_FALSE(are_of_one_log(order(10, 100, 1000), order(9, 100, 1000, "8")));
}

TEST_CASE("log order: what comes late, or was written by another server into one log, is of one log") {
  CHECK(are_of_one_log(order(10, 100, 5000), order(9, 4, 1000)));
  CHECK(are_of_one_log(order(10, 100, 5000), order(9, 4, 1000, "8")));
  CHECK(are_of_one_log(order(9, 4, 1000), order(10, 100, 5000, "8")));
  CHECK(are_of_one_log(order(9, 4, 1000), order(9, 4, 1000)));
  // A statement is dated by its begin.
  CHECK(are_of_one_log(order(9, 4, 5000), order(9, 100, 1000)));
  CHECK(are_of_one_log(order(9, 100, 1000), order(9, 4, 5000)));
}

TEST_CASE("log order: orders that tell no log are taken as they are") {
  CHECK(are_of_one_log("", order(1, 4, 5000)));
  CHECK(are_of_one_log(std::string(20, '\1'), std::string(20, '\0')));
  CHECK(are_of_one_log(std::string(36, '\1'), order(1, 4, 5000)));
  std::string name;
  cdcrt::sdk::append_order(name, "a text that is long enough to be mistaken.log");
  CHECK(are_of_one_log(name, name));
}
