// OdbcSink: tables of PostgreSQL or SQLite through unixODBC.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "cdcrt/sdk/sink.hpp"
#include "odbc/connection_string.hpp"
#include "postgresql/session.hpp"
#include "sql/looks.hpp"

namespace cdcrt::odbc {

class OdbcSink : public sdk::Sink {
 public:
  static constexpr const char* kSummary = "Tables of PostgreSQL or SQLite through ODBC";
  static constexpr const char* kLicense = "Apache-2.0";
  static const char* notes();
  static constexpr uint32_t kCapabilities = CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SAVEPOINTS;

  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override;
  [[nodiscard]] uint32_t capabilities(uint32_t of_class) override;
  void limits(cdcrt_limits& limits) override;

 private:
  sdk::Status choose(sql::Product connected, const std::string& product_name, sql::Product& out) const;

  ConnectionSettings settings_;
  std::string missing_file_;                       // with `look_only`: stands for an empty database
  sql::Product wanted_ = sql::Product::kUnknown;   // by `dialect`
  sql::Product product_ = sql::Product::kUnknown;  // as far as it was found out before anything was opened
  std::chrono::microseconds connect_timeout_{};
  postgresql::SessionTimeouts timeouts_;
  sql::Looks looks_;
};

}  // namespace cdcrt::odbc
