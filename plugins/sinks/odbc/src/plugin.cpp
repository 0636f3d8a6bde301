#include "cdcrt/sdk/option.hpp"
#include "odbc_sink.hpp"
#include "dialect.hpp"

namespace {

using cdcrt::sdk::option;

const char* const kDialects[] = {"auto", "sqlite", "postgresql", nullptr};

cdcrt_option dialect_option() {
  return option(CDCRT_OPTION_ENUM, 0, "dialect", "How the database is spoken to. `auto` asks the driver which database it is.", "auto",
                "\"postgresql\"", kDialects);
}

cdcrt_option timeout_option(const char* key, const char* doc, const char* fallback, const char* example, double minimum) {
  return option(CDCRT_OPTION_DURATION, 0, key, doc, fallback, example, nullptr, minimum, 24 * 3600e6);
}

const cdcrt_option kOptions[] = {
    option(CDCRT_OPTION_MAP, 0, "connection",
           "The ODBC connection as a table; values are quoted for you. `Driver` names an installed driver (`odbcinst -q -d`). "
           "A relative `Database` of SQLite starts at the current directory. Exclusive with `dsn`.",
           nullptr,
           "{ Driver = \"PostgreSQL Unicode\", Server = \"db\", Database = \"shop\", UID = \"loader\", PWD = \"${env:PGPASSWORD}\" }"),
    option(CDCRT_OPTION_STRING, 0, "dsn", "A data source of odbc.ini (`odbcinst -q -s`). Exclusive with `connection`.", nullptr,
           "\"warehouse\""),
    option(CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET, "login",
           "Who logs in, and where, in one: a JSON object with `username` and `password`, and `host`, `port` and `dbname` where "
           "`connection` does "
           "not name them, as secrets managers keep it (`${aws-sm:...}`, `${file:...}`). Not with SQLite.",
           nullptr, "\"${aws-sm:rds!db-shop}\""),
    dialect_option(),
    option(CDCRT_OPTION_BOOLEAN, CDCRT_OPTION_ADVANCED, "look_only",
           "SQLite: a database file that is not there is an empty one, and is not made. Set by commands that only look.", "false", "true"),
    timeout_option("connect_timeout", "How long connecting may take.", "15s", "\"5s\"", 1e6),
    timeout_option("lock_timeout",
                   "PostgreSQL: how long a statement waits for a lock that another session holds, before it is tried again; "
                   "a table that is locked for longer than `stall_after` is detached from the others.",
                   "5s", "\"30s\"", 1e4),
    timeout_option("statement_timeout", "PostgreSQL: how long one statement may run; `0s`: as long as it takes.", "0s", "\"30min\"", 0),
    timeout_option("idle_timeout",
                   "PostgreSQL: after how long the server ends a transaction whose client is silent (a frozen process), "
                   "so that another process can take its place.",
                   "30s", "\"2min\"", 1e6),
};

const char* notes() {
  static const std::string text = "## Types\n\n" + cdcrt::sql::type_table(cdcrt::sql::postgresql().types()) + "\n" + cdcrt::sql::type_table(cdcrt::sql::sqlite().types());
  return text.c_str();
}

}  // namespace

CDCRT_SINK("odbc", "0.1.0", cdcrt::odbc::OdbcSink, kOptions, notes())
