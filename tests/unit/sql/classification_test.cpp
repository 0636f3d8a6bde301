#include <doctest/doctest.h>

#include "sql/classification.hpp"

using namespace cdcrt;
using sql::Moment;
using sql::Product;

namespace {

cdcrt_code postgresql(const char* state, const char* text = "", Moment moment = Moment::kStatement) { return sql::classify({state, 1, text}, Product::kPostgresql, moment).code; }
cdcrt_code sqlite(int native, const char* text = "", Moment moment = Moment::kStatement) { return sql::classify({"HY000", native, text}, Product::kSqlite, moment).code; }

}  // namespace

TEST_CASE("classification: what others lock is this table's trouble alone") {
  for (const char* state : {"40001", "40P01", "55P03", "57014"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_BUSY);
  }
}

TEST_CASE("classification: what passes by itself is retried") {
  for (const char* state : {"08S01", "08006", "57P01", "57P02", "57P03", "53100", "53200", "53300", "25P02"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_RETRY);
  }
  CHECK(postgresql("HY000", "server closed the connection unexpectedly") == CDCRT_RETRY);
  for (const int native : {5, 6, 261, 517, 13, 10}) CHECK(sqlite(native) == CDCRT_RETRY);
}

TEST_CASE("classification: values that the target refuses are bad records") {
  for (const char* state : {"22001", "22003", "22P02", "22021", "23502", "23505", "23514", "54000"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_BAD_RECORD);
  }
  for (const int native : {18, 19, 20, 1555, 2067}) CHECK(sqlite(native) == CDCRT_BAD_RECORD);
}

TEST_CASE("classification: what is missing in the catalog is a stale schema") {
  for (const char* state : {"42703", "42P01", "42P07", "42701", "3F000"}) CHECK(postgresql(state) == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "[SQLite]no such table: t (1)") == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "[SQLite]no such column: t.x (1)") == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "[SQLite]table t has no column named x (1)") == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "near \"x\": syntax error") == CDCRT_FATAL);
}

TEST_CASE("classification: connecting tells users, databases, drivers and servers apart") {
  CHECK(postgresql("08001", "FATAL:  password authentication failed for user \"x\"", Moment::kConnect) == CDCRT_AUTH);
  CHECK(postgresql("08001", "FATAL:  role \"x\" does not exist", Moment::kConnect) == CDCRT_AUTH);
  CHECK(postgresql("08001", "FATAL:  database \"x\" does not exist", Moment::kConnect) == CDCRT_BAD_CONFIG);
  CHECK(postgresql("08001", "Connection refused", Moment::kConnect) == CDCRT_UNREACHABLE);
  CHECK(postgresql("08001", "FATAL:  the database system is starting up", Moment::kConnect) == CDCRT_RETRY);
  CHECK(postgresql("08001", "FATAL:  sorry, too many clients already", Moment::kConnect) == CDCRT_RETRY);
  CHECK(postgresql("IM002", "Data source name not found", Moment::kConnect) == CDCRT_UNREACHABLE);
  CHECK(sqlite(14, "connect failed", Moment::kConnect) == CDCRT_UNREACHABLE);
  CHECK(postgresql("28P01") == CDCRT_AUTH);
}

TEST_CASE("classification: a missing right names itself in the hint") {
  const auto found = sql::classify({"42501", 1, "ERROR: permission denied for schema shop"}, Product::kPostgresql, Moment::kChange);
  CHECK(found.code == CDCRT_BAD_CONFIG);
  CHECK(found.hint.find("permission denied for schema shop") != std::string::npos);
}

TEST_CASE("classification: a commit whose outcome is unknown is retried, and the unknown is fatal elsewhere") {
  CHECK(postgresql("XX000", "", Moment::kCommit) == CDCRT_RETRY);
  CHECK(postgresql("XX000") == CDCRT_FATAL);
  CHECK(postgresql("23505", "duplicate key value violates unique constraint \"pg_type_typname_nsp_index\"", Moment::kChange) == CDCRT_RETRY);
}

TEST_CASE("classification: the status keeps SQLSTATE, native number and the words of what was done") {
  const auto status = sql::to_status({"22003", 7, "value out of range"}, Product::kPostgresql, Moment::kStatement, "cannot upsert into table \"t\"");
  CHECK(status.message() == "cannot upsert into table \"t\": value out of range");
  CHECK(status.sqlstate() == "22003");
  CHECK(status.native() == 7);
}
