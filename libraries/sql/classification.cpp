#include "sql/classification.hpp"

namespace cdcrt::sql {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
bool begins(const std::string& text, std::string_view part) { return text.compare(0, part.size(), part) == 0; }

/// libpq reports why a connection failed in text only, with SQLSTATE 08001 or 08006 whatever the reason.
Classified connect_failure(const DriverError& error, Product product) {
  const std::string& text = error.text;
  if (begins(error.sqlstate, "28") || has(text, "password authentication failed") || has(text, "no password supplied") ||
      has(text, "authentication failed") || has(text, "no pg_hba.conf entry") || (has(text, "role \"") && has(text, "does not exist"))) {
    return {CDCRT_AUTH, "check UID and PWD of the connection, and that the server admits this user from this host"};
  }
  if (has(text, "database \"") && has(text, "does not exist")) return {CDCRT_BAD_CONFIG, "create the database, or correct Database in the connection"};
  if (has(text, "permission denied for database")) return {CDCRT_BAD_CONFIG, "GRANT CONNECT ON DATABASE to the connection's user"};
  if (begins(error.sqlstate, "57P") || begins(error.sqlstate, "53") || has(text, "starting up") || has(text, "shutting down") ||
      has(text, "too many clients") || has(text, "too many connections") || has(text, "remaining connection slots")) {
    return {CDCRT_RETRY, {}};
  }
  if (error.sqlstate == "IM002" || error.sqlstate == "IM003" || has(text, "Can't open lib")) return {CDCRT_UNREACHABLE, {}};
  if (product == Product::kSqlite) {
    if (error.native == 5 || error.native == 6) return {CDCRT_RETRY, {}};
    return {CDCRT_UNREACHABLE, "check that the folder of Database exists and can be written to; a relative path starts at the current directory"};
  }
  return {CDCRT_UNREACHABLE, "check Server and Port of the connection, and that the server is running"};
}

Classified sqlite_failure(const DriverError& error) {
  const std::string& text = error.text;
  switch (error.native & 0xFF) {
    case 5:    // SQLITE_BUSY
    case 6:    // SQLITE_LOCKED
    case 17:   // SQLITE_SCHEMA
      return {CDCRT_RETRY, {}};
    case 13: return {CDCRT_RETRY, "the disk is full: free some space; writing goes on by itself then"};
    case 10: return {CDCRT_RETRY, {}};  // SQLITE_IOERR
    case 18:   // SQLITE_TOOBIG
    case 19:   // SQLITE_CONSTRAINT
    case 20:   // SQLITE_MISMATCH
    case 25:   // SQLITE_RANGE
      return {CDCRT_BAD_RECORD, {}};
    case 8: return {CDCRT_BAD_CONFIG, "the database file cannot be written: check its permissions and those of its folder"};
    case 3:
    case 14:
    case 23: return {CDCRT_BAD_CONFIG, "check the permissions of the database file and of its folder"};
    case 11:
    case 26: return {CDCRT_FATAL, "the file is damaged or is no SQLite database"};
    default: break;
  }
  if (has(text, "no such table") || has(text, "no such column") || has(text, "has no column named") || has(text, "already exists") ||
      has(text, "duplicate column name")) {
    return {CDCRT_STALE_SCHEMA, {}};
  }
  if (has(text, "ON CONFLICT clause does not match")) return {CDCRT_STALE_SCHEMA, "the table has no unique key on the columns of the route's key"};
  if (has(text, "too many columns") || has(text, "too many SQL variables")) return {CDCRT_UNSUPPORTED, "SQLite holds at most 2,000 columns in a table"};
  if (has(text, "string or blob too big")) return {CDCRT_BAD_RECORD, {}};
  return {CDCRT_FATAL, {}};
}

Classified postgresql_failure(const DriverError& error, Moment moment) {
  const std::string& state = error.sqlstate;
  const std::string& text = error.text;
  if (begins(state, "08") || begins(state, "57P") || state == "25P03" || has(text, "server closed the connection") ||
      has(text, "no connection to the server") || has(text, "terminating connection") || has(text, "could not receive data from server") ||
      has(text, "could not send data to server") || has(text, "connection to server was lost") || has(text, "SSL SYSCALL error")) {
    return {CDCRT_RETRY, {}};
  }
  // Deadlock, serialization failure, lock timeout, statement timeout: of this table, not of the server.
  if (begins(state, "40") || state == "55P03" || state == "57014") return {CDCRT_BUSY, {}};
  if (state == "55006" || state == "25P02") return {CDCRT_RETRY, {}};
  if (state == "53100") return {CDCRT_RETRY, "the server's disk is full: free some space; writing goes on by itself then"};
  if (begins(state, "53")) return {CDCRT_RETRY, {}};
  if (state == "25006") return {CDCRT_RETRY, "the server is read-only (a standby?): check Server of the connection"};
  if (state == "23505" && moment == Moment::kChange && has(text, "pg_")) return {CDCRT_RETRY, {}};  // two sessions created the same thing
  if (state == "42703" || state == "42P01" || state == "42P07" || state == "42701" || state == "3F000" || state == "42P10" || state == "42P06") {
    return {CDCRT_STALE_SCHEMA, state == "42P10" ? "the table has no unique index on exactly the columns of the route's key" : ""};
  }
  if (state == "42501") {
    const auto colon = text.find("permission denied");
    const std::string what = colon == std::string::npos ? std::string() : ": " + text.substr(colon);
    return {CDCRT_BAD_CONFIG, "give the connection's user the missing right" + what.substr(0, what.find('\n')) +
                                  " (GRANT USAGE, CREATE ON SCHEMA ...; GRANT SELECT, INSERT, UPDATE, DELETE ON ...; changing a table needs its owner)"};
  }
  if (state == "42804" || state == "42846" || state == "42883") {
    return {CDCRT_BAD_RECORD, "the target column's type does not take this value: give the column a `target_type` or `type` in the route"};
  }
  if (begins(state, "22") || begins(state, "23") || begins(state, "54")) return {CDCRT_BAD_RECORD, {}};
  if (begins(state, "28")) return {CDCRT_AUTH, {}};
  if (state == "0A000" || state == "2BP01") return {CDCRT_UNSUPPORTED, "a view or another object depends on it: drop that, or set schema_changes in the route"};
  if (state == "42704") return {CDCRT_BAD_CONFIG, "the type named in target_type is unknown to the server"};
  if (state == "HYT00" || state == "HYT01") return {CDCRT_RETRY, {}};
  return {CDCRT_FATAL, {}};
}

}  // namespace

Classified classify(const DriverError& error, Product product, Moment moment) {
  if (moment == Moment::kConnect) return connect_failure(error, product);
  Classified found = product == Product::kSqlite ? sqlite_failure(error) : postgresql_failure(error, moment);
  if (moment == Moment::kCommit && found.code == CDCRT_FATAL) found.code = CDCRT_RETRY;
  return found;
}

sdk::Status to_status(const DriverError& error, Product product, Moment moment, std::string_view doing) {
  Classified found = classify(error, product, moment);
  std::string message(doing);
  message += ": ";
  message += error.text.empty() ? "the driver gave no reason" : error.text;
  if (found.code == CDCRT_BAD_CONFIG) {
    return sdk::Status::bad_config("connection", std::move(message), std::move(found.hint)).with_native(error.native, error.sqlstate);
  }
  return sdk::Status::error(found.code, std::move(message), std::move(found.hint)).with_native(error.native, error.sqlstate);
}

}  // namespace cdcrt::sql
