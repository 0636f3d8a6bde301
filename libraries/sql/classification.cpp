#include "sql/classification.hpp"

#include <algorithm>
#include <initializer_list>

namespace cdcrt::sql {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
bool begins(const std::string& text, std::string_view part) { return text.compare(0, part.size(), part) == 0; }

constexpr const char* kLocked = "another process keeps the database locked: writing goes on by itself when it lets go";

/// libpq reports why a connection failed in text only, with SQLSTATE 08001 or 08006 whatever the reason.
Classified connect_failure(const DriverError& error, Product product) {
  const std::string& text = error.text;
  if (begins(error.sqlstate, "28") || has(text, "password authentication failed") || has(text, "no password supplied") ||
      has(text, "authentication failed") || has(text, "no pg_hba.conf entry") || (has(text, "role \"") && has(text, "does not exist"))) {
    return {CDCRT_AUTH, "check UID and PWD of the connection, and that the server admits this user from this host"};
  }
  if (has(text, "database \"") && has(text, "does not exist"))
    return {CDCRT_BAD_CONFIG, "create the database, or correct Database in the connection"};
  if (has(text, "permission denied for database")) return {CDCRT_BAD_CONFIG, "GRANT CONNECT ON DATABASE to the connection's user"};
  if (begins(error.sqlstate, "57P") || begins(error.sqlstate, "53") || has(text, "starting up") || has(text, "shutting down") ||
      has(text, "too many clients") || has(text, "too many connections") || has(text, "remaining connection slots")) {
    return {CDCRT_RETRY, {}};
  }
  if (error.sqlstate == "IM002" || error.sqlstate == "IM003" || has(text, "Can't open lib")) return {CDCRT_UNREACHABLE, {}};
  if (product == Product::kSqlite) {
    if (error.native == 5 || error.native == 6) return {CDCRT_BUSY, kLocked};
    return {CDCRT_UNREACHABLE,
            "check that the folder of Database exists and can be written to; a relative path starts at the current directory"};
  }
  if (has(text, "certificate verify failed") || has(text, "server certificate for")) {
    return {CDCRT_UNREACHABLE,
            "the server's certificate must be signed by one that is trusted here (sslrootcert), be for the name by which it is called, and "
            "be good at the time that this machine's clock shows"};
  }
  if (product == Product::kRedshift) {
    return {
        CDCRT_UNREACHABLE,
        "check Server and Port (5439 by default), that the cluster or workgroup is not paused, and that its security group admits this host"};
  }
  return {CDCRT_UNREACHABLE, "check Server and Port of the connection, and that the server is running"};
}

Classified sqlite_failure(const DriverError& error) {
  const std::string& text = error.text;
  switch (error.native & 0xFF) {
    case 5:  // SQLITE_BUSY
    case 6:  // SQLITE_LOCKED
      return {CDCRT_BUSY, kLocked};
    case 17: return {CDCRT_RETRY, {}};  // SQLITE_SCHEMA
    case 13: return {CDCRT_RETRY, "the disk is full: free some space; writing goes on by itself then"};
    case 7:   // SQLITE_NOMEM
    case 10:  // SQLITE_IOERR
    case 15:  // SQLITE_PROTOCOL: the locks of the write-ahead log
      return {CDCRT_RETRY, {}};
    case 4:  // SQLITE_ABORT
    case 9:  // SQLITE_INTERRUPT
      return {CDCRT_BUSY, {}};
    case 18:  // SQLITE_TOOBIG
    case 19:  // SQLITE_CONSTRAINT
    case 20:  // SQLITE_MISMATCH
    case 25:  // SQLITE_RANGE
      return {CDCRT_BAD_RECORD, {}};
    case 8: return {CDCRT_BAD_CONFIG, "the database file cannot be written: check its permissions and those of its folder"};
    case 3:
    case 14:
    case 23: return {CDCRT_BAD_CONFIG, "check the permissions of the database file and of its folder"};
    case 21: return {CDCRT_FATAL, "this is a defect: please report it"};  // SQLITE_MISUSE
    case 26: return {CDCRT_FATAL, "the file is no SQLite database"};
    case 11: return {CDCRT_UNSUPPORTED, "a part of the database is damaged: PRAGMA integrity_check tells which"};
    default: break;
  }
  if (has(text, "no such table") || has(text, "no such column") || has(text, "has no column named") || has(text, "already exists") ||
      has(text, "duplicate column name")) {
    return {CDCRT_STALE_SCHEMA, {}};
  }
  if (has(text, "ON CONFLICT clause does not match"))
    return {CDCRT_STALE_SCHEMA, "the table has no unique key on the columns of the route's key"};
  if (has(text, "too many columns") || has(text, "too many SQL variables"))
    return {CDCRT_UNSUPPORTED, "SQLite holds at most 2,000 columns in a table"};
  if (has(text, "string or blob too big")) return {CDCRT_BAD_RECORD, {}};
  if (has(text, "generated column")) return {CDCRT_UNSUPPORTED, "the table computes this column itself: exclude it in the route"};
  return {CDCRT_UNSUPPORTED, {}};  // SQLITE_ERROR of a statement: of its table, not of the database
}

/// SQLSTATEs by their class, which is all that is known of most: extensions and functions of the target make up their own.
Classified postgresql_failure_by_class(const DriverError& error, Moment moment) {
  const std::string& state = error.sqlstate;
  const auto of_class = [&](std::initializer_list<const char*> classes) {
    return std::any_of(classes.begin(), classes.end(), [&](const char* each) { return begins(state, each); });
  };
  if (of_class({"57", "58"})) return {CDCRT_RETRY, {}};  // the operator's hand, the server's disk
  // Cursors, statements and transactions: what the server itself says of them a trigger made up, or a pooler between us gave the session to
  // somebody else. Begin anew.
  if (of_class({"07", "24", "25", "26", "34"}) && begins(error.text, "ERROR:")) return {CDCRT_RETRY, {}};
  // A server that names one of these rolled back: deferred constraints and triggers speak at COMMIT. After anything else nobody knows.
  const bool rolled_back = of_class({"0A", "21", "22", "23", "2F", "38", "39", "42", "44", "55", "P0"});
  if (moment != Moment::kStatement && moment != Moment::kChange && !rolled_back) return {CDCRT_FATAL, {}};
  // Otherwise they are our own doing, and the driver's.
  if (of_class({"25", "07", "HY010"})) return {CDCRT_FATAL, "this is a defect: please report it"};
  if (of_class({"24", "26", "34"})) return {CDCRT_RETRY, {}};
  if (of_class({"HY", "IM", "01", "S1"})) return {CDCRT_UNSUPPORTED, {}};
  // Of the table, whatever the rows are.
  if (of_class({"0A", "28", "2B", "3D", "3F", "42", "55", "F0", "HV", "XX001", "XX002"})) return {CDCRT_UNSUPPORTED, {}};
  return {CDCRT_BAD_RECORD, {}};  // of a row: values, constraints, triggers, functions of a type
}

Classified postgresql_failure(const DriverError& error, Moment moment) {
  const std::string& state = error.sqlstate;
  const std::string& text = error.text;
  // The server is there and says so (a lost connection is no ERROR of it): a trigger, function or foreign table misses its own server.
  // A pooler speaks like that too, of the connection behind it (08P01), and at COMMIT nobody knows what became of it.
  const bool of_another_server =
      (begins(state, "080") || begins(state, "57P")) && state != "08P01" && begins(text, "ERROR:") && !has(text, "FATAL:");
  if ((moment == Moment::kStatement || moment == Moment::kChange) && of_another_server && !has(text, "server closed the connection")) {
    return {CDCRT_UNSUPPORTED, "what a trigger, function or foreign table of the target needs cannot be reached"};
  }
  if (begins(state, "08") || begins(state, "57P") || state == "25P03" || has(text, "server closed the connection") ||
      has(text, "no connection to the server") || has(text, "terminating connection") || has(text, "could not receive data from server") ||
      has(text, "could not send data to server") || has(text, "connection to server was lost") || has(text, "connection dead") ||
      has(text, "SSL SYSCALL error")) {
    return {CDCRT_RETRY, {}};
  }
  // Deadlock, serialization failure, lock timeout, statement timeout: of this table, not of the server.
  if (begins(state, "40") || state == "55P03" || state == "57014" || state == "55006" || state == "72000") return {CDCRT_BUSY, {}};
  if (state == "XX000" && has(text, "tuple concurrently")) return {CDCRT_BUSY, {}};
  if (state == "25P02") return {CDCRT_RETRY, {}};
  if (state == "53100") return {CDCRT_RETRY, "the server's disk is full: free some space; writing goes on by itself then"};
  if (begins(state, "53")) return {CDCRT_RETRY, {}};
  if (state == "25006")
    return {
        CDCRT_RETRY,
        "the server is read-only, a standby perhaps: writing goes on by itself once it is promoted; else check Server of the connection"};
  if (state == "23505" && moment == Moment::kChange && has(text, "pg_")) return {CDCRT_RETRY, {}};  // two sessions created the same thing
  if (state == "42703" || state == "42P01" || state == "42P07" || state == "42701" || state == "3F000" || state == "42P10" ||
      state == "42P06") {
    return {CDCRT_STALE_SCHEMA, state == "42P10" ? "the table has no unique index on exactly the columns of the route's key" : ""};
  }
  if (state == "42501" && has(text, "row-level security policy")) return {CDCRT_BAD_RECORD, {}};  // other rows pass
  if (state == "42501") {
    const auto colon = text.find("permission denied");
    const std::string what = colon == std::string::npos ? std::string() : ": " + text.substr(colon);
    return {CDCRT_BAD_CONFIG,
            "give the connection's user the missing right" + what.substr(0, what.find('\n')) +
                " (GRANT USAGE, CREATE ON SCHEMA ...; GRANT SELECT, INSERT, UPDATE, DELETE ON ...; changing a table needs its owner)"};
  }
  // Types whose values have a syntax of their own (tsvector, ltree, jsonpath) complain of it as of a statement's.
  const bool of_the_parser =
      (has(text, "syntax error at or near") || has(text, "syntax error at end of input")) && !has(text, "jsonpath input");
  if (moment == Moment::kStatement &&
      ((state == "42601" && has(text, "syntax error") && !of_the_parser) || (state == "0A000" && has(text, "cannot convert"))))
    return {CDCRT_BAD_RECORD, {}};
  if (state == "42804" || state == "42846" || state == "42883") {
    return {
        CDCRT_UNSUPPORTED,
        "the type of a column of the target cannot be written or compared: give the column a `target_type` in the route, change it in the target, or exclude it"};
  }
  if (state == "428C9") {
    return {
        CDCRT_UNSUPPORTED,
        "the table makes the values of this column itself: exclude it in the route, or ALTER TABLE ... ALTER COLUMN ... SET GENERATED BY DEFAULT"};
  }
  if (state == "23503") {
    return {
        CDCRT_UNSUPPORTED,
        "the row that it refers to, or that refers to it, is of a table that has not come so far: it is tried again until it has; a replica needs no foreign keys, drop them "
        "(ALTER TABLE ... DROP CONSTRAINT ...) where tables refer to each other in a ring"};
  }
  if (state == "55000" && has(text, "replica identity")) {
    return {CDCRT_UNSUPPORTED,
            "a publication of the target publishes this table: ALTER TABLE ... REPLICA IDENTITY FULL, or take it out of the publication"};
  }
  if (state == "28000" || state == "28P01") return {CDCRT_AUTH, {}};
  if (state == "0A000" && moment != Moment::kChange) return {CDCRT_UNSUPPORTED, {}};
  if (state == "0A000" || state == "2BP01")
    return {CDCRT_UNSUPPORTED, "a view or another object depends on it: drop that, or set schema_changes in the route"};
  if (state == "42704") return {CDCRT_BAD_CONFIG, "the type named in target_type is unknown to the server"};
  if (state == "HYT00" || state == "HYT01" || state == "HY001") return {CDCRT_RETRY, {}};
  return postgresql_failure_by_class(error, moment);
}

/// "ERROR: 1023", but not a query's number that ends so.
bool has_code(const std::string& text, std::string_view code) {
  for (std::size_t at = 0; (at = text.find(code, at)) != std::string::npos; at += code.size()) {
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == ':';
    const bool ends = at + code.size() == text.size() || text[at + code.size()] < '0' || text[at + code.size()] > '9';
    if (begins && ends) return true;
  }
  return false;
}

/// Redshift answers much with XX000 and a text: the text decides first.
Classified redshift_failure_by_text(const DriverError& error, Moment moment);

bool redshift_refuses_value(const std::string& text) {
  return has(text, "Numeric data overflow") || has(text, "Value out of range") || has(text, "Invalid input") ||
         has(text, "Invalid digit") || has(text, "value too long") || has(text, "exceeds DDL length") || has(text, "Invalid JSON") ||
         has(text, "JSON parsing") || has(text, "exceeds the max") || has(text, "exceeds maximum");
}

// What is not known here is the table's trouble, not the pipeline's: Redshift answers much with XX000.
Classified redshift_failure(const DriverError& error, Moment moment) {
  Classified found = redshift_failure_by_text(error, moment);
  const bool of_statement = moment == Moment::kStatement || moment == Moment::kChange;
  const bool unknown =
      begins(error.sqlstate, "XX") && found.code == CDCRT_BAD_RECORD && found.hint.empty() && !redshift_refuses_value(error.text);
  if ((found.code == CDCRT_FATAL || unknown) && of_statement) found.code = CDCRT_UNSUPPORTED;
  return found;
}

Classified redshift_failure_by_text(const DriverError& error, Moment moment) {
  const std::string& state = error.sqlstate;
  const std::string& text = error.text;
  const bool internal = state == "XX000" || state == "HY000";
  // 1023 comes as XX000. Of these tables and this moment: on the next snapshot it goes through.
  if (has(text, "Serializable isolation violation") || (internal && has_code(text, "1023")) ||
      has(text, "conflict with concurrent transaction") || (internal && has_code(text, "1018")) || has(text, "deadlock detected")) {
    return {CDCRT_BUSY, {}};
  }
  if (has(text, "target column size should be different")) return {CDCRT_OK, {}};  // another process has widened it
  if (has(text, "cannot run inside a transaction block")) return {CDCRT_FATAL, "this is a defect: please report it"};
  // Which row and why, only the tables of load errors tell.
  if (has(text, "stl_load_errors") || has(text, "sys_load_error_detail")) return {CDCRT_BUSY, {}};
  // What COPY says of S3 and of the role.
  if (has(text, "ExpiredToken") || has(text, "token has expired") || has(text, "token included in the request is expired"))
    return {CDCRT_RETRY, {}};
  if (has(text, "not authorized to assume IAM Role") || has(text, "is not associated to cluster") || has(text, "No default IAM role") ||
      has(text, "UnauthorizedException")) {
    return {
        CDCRT_BAD_CONFIG,
        "attach the role of staging.iam_role to the cluster or workgroup, and let its trust policy name redshift.amazonaws.com (serverless: "
        "redshift-serverless.amazonaws.com too); `default` needs a default role"};
  }
  if (has(text, "Access Denied") || has(text, "AccessDenied") || has(text, "Status 403")) {
    return {
        CDCRT_BAD_CONFIG,
        "grant the role or user that COPY runs as s3:GetObject on the staging prefix and s3:ListBucket on the bucket (and kms:Decrypt where it is encrypted)"};
  }
  if (has(text, "PermanentRedirect") || has(text, "is not in the same region") || has(text, "different region") ||
      has(text, "AuthorizationHeaderMalformed")) {
    return {CDCRT_BAD_CONFIG, "set staging.region to the region of the bucket"};
  }
  if (has(text, "NoSuchBucket")) return {CDCRT_BAD_CONFIG, "create the bucket, or correct staging.url"};
  if (has(text, "NoSuchKey") || has(text, "specified key does not exist") || (has(text, "S3 prefix") && has(text, "does not exist")) ||
      has(text, "mandatory file")) {
    return {
        CDCRT_BUSY,
        "a staged file went away: nothing but cdcrt may delete below staging.url while it runs (a lifecycle rule of a day or more is fine)"};
  }
  if (has(text, "S3ServiceException") || has(text, "S3CurlException") || has(text, "SlowDown")) return {CDCRT_BUSY, {}};
  if (has(text, "Disk Full") || has(text, "disk full"))
    return {CDCRT_RETRY, "the cluster's disk is full: free some space or resize; writing goes on by itself then"};
  if (has(text, "istkey column") || has(text, "ortkey column") || has(text, "istribution key") || has(text, "ort key")) {
    return {
        CDCRT_UNSUPPORTED,
        "Redshift does not drop or retype a DISTKEY or SORTKEY column: ALTER TABLE ... ALTER DISTSTYLE AUTO, ALTER SORTKEY NONE first, or make a new table and swap names"};
  }
  if (has(text, "in a read-only transaction") || has(text, "read-only mode"))
    return {CDCRT_RETRY, "the warehouse is read-only (resize, datashare, zero-ETL database?)"};
  if (has(text, "must be owner of"))
    return {
        CDCRT_BAD_CONFIG,
        "only the table's owner may change it: ALTER TABLE ... OWNER TO the connection's user, or schema_changes = \"ignore\" in the route"};
  if (internal && redshift_refuses_value(text)) return {CDCRT_BAD_RECORD, {}};
  if (state == "0A000") return {CDCRT_UNSUPPORTED, {}};
  if (state == "2BP01")
    return {CDCRT_UNSUPPORTED,
            "a view depends on it: drop the view or make it late-binding (WITH NO SCHEMA BINDING), or set schema_changes in the route"};
  if (state == "42501" || has(text, "permission denied")) {
    const auto colon = text.find("permission denied");
    std::string what = colon == std::string::npos ? std::string() : ": " + text.substr(colon);
    what = what.substr(0, what.find('\n'));
    return {
        CDCRT_BAD_CONFIG,
        "give the connection's user the missing right" + what +
            " (GRANT CREATE, TEMP ON DATABASE ...; GRANT USAGE, CREATE ON SCHEMA ...; GRANT SELECT, INSERT, UPDATE, DELETE ON ...; changing a table needs its owner)"};
  }
  return postgresql_failure(error, moment);
}

/// Drivers lay their texts out for a screen: one line, single blanks.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
    if (!blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace

Classified classify(const DriverError& error, Product product, Moment moment) {
  if (moment == Moment::kConnect) return connect_failure(error, product);
  Classified found = product == Product::kSqlite     ? sqlite_failure(error)
                     : product == Product::kRedshift ? redshift_failure(error, moment)
                                                     : postgresql_failure(error, moment);
  if (moment == Moment::kCommit && found.code == CDCRT_FATAL) found.code = CDCRT_RETRY;
  return found;
}

sdk::Status to_status(const DriverError& error, Product product, Moment moment, std::string_view doing) {
  Classified found = classify(error, product, moment);
  if (found.code == CDCRT_OK) return {};
  std::string message(doing);
  message += ": ";
  message += error.text.empty() ? "the driver gave no reason" : one_line(error.text);
  if (found.code == CDCRT_BAD_CONFIG) {
    return sdk::Status::bad_config("connection", std::move(message), std::move(found.hint)).with_native(error.native, error.sqlstate);
  }
  return sdk::Status::error(found.code, std::move(message), std::move(found.hint)).with_native(error.native, error.sqlstate);
}

}  // namespace cdcrt::sql
