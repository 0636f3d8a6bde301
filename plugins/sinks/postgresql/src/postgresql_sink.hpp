// PostgresqlSink: tables of PostgreSQL through libpq.
#pragma once

#include <chrono>
#include <memory>

#include "cdcrt/sdk/sink.hpp"
#include "connection_settings.hpp"
#include "postgresql/foreseen.hpp"
#include "postgresql/known_tables.hpp"
#include "postgresql/session.hpp"
#include "postgresql/trials.hpp"
#include "sql/looks.hpp"

namespace cdcrt::pq {

class PostgresqlSink : public sdk::Sink {
 public:
  static constexpr const char* kSummary = "Tables of PostgreSQL through libpq";
  static constexpr const char* kLicense = "Apache-2.0";
  static const char* notes();
  static constexpr uint32_t kCapabilities = CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SAVEPOINTS | CDCRT_SINK_SCHEMAS;

  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override;
  void limits(cdcrt_limits& limits) override;

 private:
  ConnectionSettings settings_;
  std::chrono::microseconds connect_timeout_{};
  postgresql::SessionTimeouts timeouts_;
  sql::Looks looks_;
  postgresql::Trials copies_tried_, answers_tried_;
  postgresql::Foreseen foreseen_;
  postgresql::SharedTables tables_;
  bool copies_ = true;
};

}  // namespace cdcrt::pq
