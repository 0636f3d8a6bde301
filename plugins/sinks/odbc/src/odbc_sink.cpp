#include "odbc_sink.hpp"

#include <strings.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "odbc/session.hpp"
#include "postgresql/connection.hpp"
#include "sqlite_connection.hpp"

namespace cdcrt::odbc {

using sdk::Status;

namespace {

// A file that could be made.
bool is_missing_file(const std::string& database) {
  if (database.empty() || database.front() == ':' || database.starts_with("file:")) return false;
  std::error_code trouble;
  const auto folder = std::filesystem::path(database).parent_path();
  return !std::filesystem::exists(database, trouble) && (folder.empty() || std::filesystem::exists(folder, trouble));
}

// A database file that is not there is an empty one, as long as nothing is written. Answers its name.
std::string look_only(ConnectionSettings& settings) {
  std::string missing;
  if (guess_product(settings) != sql::Product::kSqlite) return missing;
  for (auto& [key, value] : settings.pairs) {
    if (strcasecmp(key.c_str(), "database") == 0 && is_missing_file(value)) missing = std::exchange(value, ":memory:");
  }
  return missing;
}

// Whether whoever does not only look could make it.
Status check_makeable(const std::string& database) {
  std::filesystem::path folder = std::filesystem::path(database).parent_path();
  if (folder.empty()) folder = ".";
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return Status::error(CDCRT_UNREACHABLE, "the database file '" + database + "' is not there, and its folder cannot be written to",
                       "make the folder writable for this process, or name another place in `Database`");
}

}  // namespace

Status OdbcSink::configure(const sdk::Config& config) {
  const std::string dialect = config.string("dialect");
  if (dialect == "sqlite") wanted_ = sql::Product::kSqlite;
  if (dialect == "postgresql") wanted_ = sql::Product::kPostgresql;
  connect_timeout_ = config.duration("connect_timeout");
  timeouts_ = {config.duration("lock_timeout"), config.duration("statement_timeout"), config.duration("idle_timeout")};
  Status status = make_settings(config.map("connection"), config.string("dsn"), settings_, config.string("login"));
  if (status && config.boolean("look_only")) missing_file_ = look_only(settings_);
  return status;
}

Status OdbcSink::choose(sql::Product connected, const std::string& product_name, sql::Product& out) const {
  out = wanted_ != sql::Product::kUnknown ? wanted_ : connected;
  if (out == sql::Product::kRedshift)
    return Status::bad_config("connection", "this driver is Amazon Redshift's", "use plugin = \"redshift\"");
  if (out == sql::Product::kUnknown) {
    return Status::bad_config("dialect", "the driver calls its database \"" + product_name + "\", which is no dialect of this sink",
                              "set dialect = \"postgresql\" or \"sqlite\" where the database speaks one of them");
  }
  if (connected != sql::Product::kUnknown && connected != out) {
    return Status::bad_config("dialect", "the dialect is not that of the database, which calls itself \"" + product_name + "\"",
                              "leave `dialect` out: it is found by itself");
  }
  return {};
}

Status OdbcSink::open(std::unique_ptr<sdk::SinkConnection>& connection) {
  if (!missing_file_.empty()) {
    if (Status makeable = check_makeable(missing_file_); !makeable) return makeable;
  }
  auto session = std::make_unique<Session>(settings_);
  const sql::Product guess = wanted_ != sql::Product::kUnknown ? wanted_ : guess_product(settings_);
  Status status = session->connect(guess, connect_timeout_);
  sql::Product product = sql::Product::kUnknown;
  if (status) status = choose(session->product(), session->product_name(), product);
  if (!status) return status;
  auto made = product == sql::Product::kSqlite ? make_sqlite_connection(std::move(session), settings_, looks_)
                                               : postgresql::make_connection(std::move(session), timeouts_, looks_);
  status = made->prepare_session();
  if (status) connection = std::move(made);
  return status;
}

uint32_t OdbcSink::capabilities(uint32_t of_class) {
  sql::Product product = wanted_ != sql::Product::kUnknown ? wanted_ : guess_product(settings_);
  if (product == sql::Product::kUnknown) {  // neither the driver's name nor the DSN tells: ask the database
    Session session(settings_);
    if (session.connect(product, connect_timeout_)) product = session.product();
  }
  // A driver that was told to roll back by itself leaves no savepoint to go back to.
  const bool rolls_back = product != sql::Product::kSqlite && (settings_.has("Protocol") || settings_.has("A1"));
  if (rolls_back) of_class &= ~static_cast<uint32_t>(CDCRT_SINK_SAVEPOINTS);
  product_ = product;
  return of_class | (product == sql::Product::kSqlite ? 0U : static_cast<uint32_t>(CDCRT_SINK_SCHEMAS));
}

void OdbcSink::limits(cdcrt_limits& limits) {
  if (product_ == sql::Product::kSqlite) {
    limits.columns = 2000;  // SQLITE_MAX_COLUMN, unless it was built otherwise
    limits.writers = 1;
    return;
  }
  if (product_ == sql::Product::kPostgresql) return postgresql::tell_limits(limits);
  limits.time_us = int64_t{24} * 3600 * 1'000'000;
}

}  // namespace cdcrt::odbc
