#include "event/log_order.hpp"

#include <doctest/doctest.h>

#include <string>

#include "cdcrt/sdk/source_order.hpp"

using cdcrt::event::are_of_one_log;
using cdcrt::event::compare_orders;
using cdcrt::event::is_after;
using cdcrt::event::Order;

namespace {

std::string order(uint64_t file, uint64_t position, const cdcrt::sdk::LogMark& mark) {
  std::string out;
  cdcrt::sdk::append_order(out, file);
  cdcrt::sdk::append_order(out, position);
  cdcrt::sdk::append_log(out, mark);
  return out;
}
/// In milliseconds: times, of which it was read at once.
std::string order(uint64_t file, uint64_t position, uint64_t time, const char* server = "7") {
  return order(file, position, {time, time, server, "binlog", {}, 0});
}
std::string read_late(uint64_t file, uint64_t position, uint64_t time, uint64_t read) {
  return order(file, position, {time, read, "7", "binlog", {}, 0});
}
std::string counted(uint64_t file, uint64_t number, const char* counter = "3e11fa47-71ca-11e1-9e33-c80aa9429562") {
  return order(file, 4, {5000, 9000, "7", "binlog", counter, number});
}
bool in_both_turns(const std::string& one, const std::string& other) {
  const bool is_one = are_of_one_log(one, other);
  CHECK(is_one == are_of_one_log(other, one));
  return is_one;
}

}  // namespace

TEST_CASE("log order: a lower place with a later time is of a log that began anew") {
  CHECK_FALSE(in_both_turns(order(10, 100, 1000), order(1, 4, 5000)));
  CHECK_FALSE(in_both_turns(order(10, 100, 1000), order(10, 4, 5000, "8")));
  CHECK(compare_orders(order(10, 100, 1000), order(1, 4, 5000)) == Order::kOtherLog);
  // In one second, of another server: nobody can tell.
  CHECK_FALSE(are_of_one_log(order(10, 100, 1000), order(9, 100, 1000, "8")));
}

TEST_CASE("log order: a log of one file that began anew is noticed beyond what clocks may differ") {
  CHECK_FALSE(in_both_turns(order(1, 900, 1000), order(1, 300, 60'000)));
  CHECK(in_both_turns(order(1, 900, 1000), order(1, 300, 5000)));
}

TEST_CASE("log order: what comes late, or was written by another server into one log, is of one log") {
  CHECK(in_both_turns(order(10, 100, 5000), order(9, 4, 1000)));
  CHECK(in_both_turns(order(10, 100, 5000), order(9, 4, 1000, "8")));
  CHECK(in_both_turns(order(9, 4, 1000), order(9, 4, 1000)));
  // A statement is dated by its begin.
  CHECK(in_both_turns(order(9, 4, 5000), order(9, 100, 1000)));
  CHECK(compare_orders(order(10, 100, 5000), order(9, 4, 1000)) == Order::kBefore);
  CHECK(compare_orders(order(9, 4, 1000), order(10, 100, 5000)) == Order::kAfter);
}

TEST_CASE("log order: a statement that ran while the log went on to another file is of that log") {
  // It began before the change of the file below, and was read after it was done.
  CHECK(in_both_turns(order(10, 100, 5000), read_late(11, 4, 1000, 9000)));
  // It was read before the other one had begun: the log began anew between them.
  CHECK_FALSE(in_both_turns(order(10, 100, 5000), read_late(11, 4, 1000, 2000)));
}

TEST_CASE("log order: the number of a transaction tells a copy of the log, also where the times are equal") {
  CHECK(in_both_turns(counted(10, 41), counted(11, 42)));
  CHECK_FALSE(in_both_turns(counted(10, 42), counted(1, 43)));
  CHECK(in_both_turns(counted(10, 42), counted(1, 43, "0")));
}

TEST_CASE("log order: the members of a replication group count in blocks of their own, and their log is one all the same") {
  const char* group = "8a94f357-aab4-11df-86ab-c80aa9429562";
  const auto of_one_member = order(10, 4, {5000, 9000, "7", "binlog", group, 1'000'003});
  const auto of_another_later = order(10, 900, {6000, 9000, "8", "binlog", group, 38});
  CHECK(in_both_turns(of_one_member, of_another_later));
}

TEST_CASE("log order: rows of a snapshot name no server, and are read while changes are made") {
  const auto snapshot = order(9, 4, {5000, 5000, {}, "binlog", {}, 0});
  CHECK(in_both_turns(snapshot, read_late(10, 4, 2000, 7000)));
  CHECK_FALSE(in_both_turns(snapshot, read_late(10, 4, 2000, 3000)));
  // Read in the source's turn without a time of their own.
  CHECK(in_both_turns(order(9, 4, {0, 5000, {}, "binlog", {}, 0}), order(10, 4, 2000)));
}

TEST_CASE("log order: orders that tell no log are taken as they are") {
  CHECK(are_of_one_log("", order(1, 4, 5000)));
  CHECK(are_of_one_log(std::string(20, '\1'), std::string(20, '\0')));
  CHECK(are_of_one_log(std::string(56, '\1'), order(1, 4, 5000)));
  std::string name;
  cdcrt::sdk::append_order(name, "a text that is long enough to be mistaken, as many bytes as the rest.log");
  CHECK(are_of_one_log(name, name));
  CHECK(compare_orders("1", "2") == Order::kAfter);
  CHECK(compare_orders("2", "1") == Order::kBefore);
  CHECK(compare_orders("2", "2") == Order::kSame);
}

TEST_CASE("log order: what only needs whole shapes in order takes a log that began anew for the later one") {
  CHECK(is_after(order(1, 4, 5000), order(10, 100, 1000)));
  CHECK_FALSE(is_after(order(10, 100, 1000), order(1, 4, 5000)));
  CHECK(is_after(order(10, 100, 5000), order(9, 4, 1000)));
  CHECK(is_after(order(1, 4, 5000), ""));
}
