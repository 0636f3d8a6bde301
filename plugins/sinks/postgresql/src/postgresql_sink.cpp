#include "postgresql_sink.hpp"

#include "postgresql/connection.hpp"
#include "session.hpp"

namespace cdcrt::pq {

using sdk::Status;

namespace {

// INSERT ... ON CONFLICT; Redshift calls itself 8.0.
constexpr int kOldest = 90500;

}  // namespace

Status PostgresqlSink::configure(const sdk::Config& config) {
  connect_timeout_ = config.duration("connect_timeout");
  timeouts_ = {config.duration("lock_timeout"), config.duration("statement_timeout"), config.duration("idle_timeout")};
  copies_ = config.boolean("copy");
  return make_settings(config.map("connection"), config.string("login"), settings_);
}

Status PostgresqlSink::open(std::unique_ptr<sdk::SinkConnection>& connection) {
  auto session = std::make_unique<Session>(settings_, connect_timeout_);
  Status status = session->connect();
  if (!status) return status;
  if (session->server_version() < kOldest)
    return Status::bad_config("connection", "the server is Amazon Redshift, or a PostgreSQL older than 9.5",
                              "Redshift: use plugin = \"redshift\"");
  auto made = postgresql::make_connection(std::move(session), timeouts_, looks_,
                                          {copies_ ? &copies_tried_ : nullptr, &foreseen_, &answers_tried_, &tables_});
  status = made->prepare_session();
  if (status) connection = std::move(made);
  return status;
}

void PostgresqlSink::limits(cdcrt_limits& limits) { postgresql::tell_limits(limits); }

}  // namespace cdcrt::pq
