// Options that the sinks to PostgreSQL share.
#pragma once

#include <chrono>

#include "cdcrt/sdk/option.hpp"

namespace cdcrt::postgresql::options {

constexpr sdk::Option lock_timeout() {
  return sdk::option::duration("lock_timeout")
      .default_value("5s")
      .example("\"30s\"")
      .between(std::chrono::milliseconds(10), std::chrono::hours(24))
      .doc(
          "PostgreSQL: how long a statement waits for a lock that another session holds, before it is tried again; a table that is "
          "locked for longer than `stall_after` is detached from the others.");
}
constexpr sdk::Option statement_timeout() {
  return sdk::option::duration("statement_timeout")
      .default_value("0s")
      .example("\"30min\"")
      .between(std::chrono::seconds(0), std::chrono::hours(24))
      .doc("PostgreSQL: how long one statement may run; `0s`: as long as it takes.");
}
constexpr sdk::Option idle_timeout() {
  return sdk::option::duration("idle_timeout")
      .default_value("30s")
      .example("\"2min\"")
      .between(std::chrono::seconds(1), std::chrono::hours(24))
      .doc(
          "PostgreSQL: after how long the server ends a transaction whose client is silent (a frozen process), so that another process "
          "can take its place.");
}

}  // namespace cdcrt::postgresql::options
