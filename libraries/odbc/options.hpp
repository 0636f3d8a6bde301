// Options that the sinks through unixODBC share; what differs between databases is said by who has them.
#pragma once

#include <chrono>

#include "cdcrt/sdk/option.hpp"

namespace cdcrt::odbc::options {

/// Read by make_settings (connection_string.hpp), with `dsn` and `login`.
constexpr sdk::Option connection() { return sdk::option::map("connection"); }
constexpr sdk::Option dsn() {
  return sdk::option::text("dsn")
      .example("\"warehouse\"")
      .doc("A data source of odbc.ini (`odbcinst -q -s`). Exclusive with `connection`.");
}
constexpr sdk::Option login() { return sdk::option::text("login").secret(); }

constexpr sdk::Option connect_timeout(std::chrono::hours maximum) {
  return sdk::option::duration("connect_timeout").between(std::chrono::seconds(1), maximum);
}
/// `0s`: as long as it takes.
constexpr sdk::Option statement_timeout() {
  return sdk::option::duration("statement_timeout").between(std::chrono::seconds(0), std::chrono::hours(24));
}

}  // namespace cdcrt::odbc::options
