// What a driver's error means for the host: its class, by SQLSTATE, native number and text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// One diagnostic record of a driver; `text` is already free of secrets.
struct DriverError {
  std::string sqlstate;  ///< five characters; HY000 where the driver knows none
  int native = 0;
  std::string text;
};

enum class Product : uint8_t { kUnknown, kPostgresql, kSqlite, kRedshift };

/// What was being done: connection errors and a lost answer to COMMIT have classes of their own.
enum class Moment : uint8_t { kConnect, kStatement, kChange, kCommit };

struct Classified {
  cdcrt_code code = CDCRT_FATAL;
  std::string hint;
};

/// OK: the error says that what was wanted is so already.
Classified classify(const DriverError& error, Product product, Moment moment);

/// The error as a Status: "<doing>: <text>", with class, hint, native number and SQLSTATE. BAD_CONFIG names option `connection`.
sdk::Status to_status(const DriverError& error, Product product, Moment moment, std::string_view doing);

}  // namespace cdcrt::sql
