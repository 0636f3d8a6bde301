#include <doctest/doctest.h>

#include "sql/classification.hpp"

using namespace cdcrt;
using sql::Moment;
using sql::Product;

namespace {

cdcrt_code postgresql(const char* state, const char* text = "", Moment moment = Moment::kStatement) {
  return sql::classify({state, 1, text}, Product::kPostgresql, moment).code;
}
cdcrt_code sqlite(int native, const char* text = "", Moment moment = Moment::kStatement) {
  return sql::classify({"HY000", native, text}, Product::kSqlite, moment).code;
}

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
  for (const int native : {13, 10}) CHECK(sqlite(native) == CDCRT_RETRY);
  for (const int native : {5, 6, 261, 517}) CHECK(sqlite(native) == CDCRT_BUSY);
}

TEST_CASE("classification: another server that a trigger or foreign table misses is the table's trouble, the target is there") {
  CHECK(postgresql("08001", "ERROR: could not establish connection DETAIL: connection to server at \"10.0.0.1\" failed") ==
        CDCRT_UNSUPPORTED);
  CHECK(postgresql("57P01", "ERROR: no") == CDCRT_UNSUPPORTED);
  CHECK(postgresql("08001", "ERROR: could not establish connection", Moment::kCommit) == CDCRT_RETRY);
  CHECK(postgresql("08P01", "ERROR: server conn crashed?") == CDCRT_RETRY);
  CHECK(postgresql("57P01", "FATAL: terminating connection due to administrator command") == CDCRT_RETRY);
  CHECK(postgresql("08S01", "Could not send Query(connection dead)") == CDCRT_RETRY);
}

TEST_CASE("classification: values that the target refuses are bad records") {
  for (const char* state : {"22001", "22003", "22P02", "22021", "23502", "23505", "23514", "54000"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_BAD_RECORD);
  }
  for (const int native : {18, 19, 20, 1555, 2067}) CHECK(sqlite(native) == CDCRT_BAD_RECORD);
}

TEST_CASE("classification: values with a syntax of their own are bad records, statements that do not parse are not") {
  CHECK(postgresql("42501", "ERROR: new row violates row-level security policy for table \"t\"") == CDCRT_BAD_RECORD);
  CHECK(postgresql("42601", "ERROR: syntax error in tsquery: \"a b\"") == CDCRT_BAD_RECORD);
  CHECK(postgresql("42601", "ERROR: ltree syntax error at character 3") == CDCRT_BAD_RECORD);
  CHECK(postgresql("42601", "ERROR: syntax error at or near \" \" of jsonpath input") == CDCRT_BAD_RECORD);
  CHECK(postgresql("0A000", "ERROR: cannot convert NaN to bigint") == CDCRT_BAD_RECORD);
  CHECK(postgresql("42601", "ERROR: syntax error at or near \"selct\"") == CDCRT_UNSUPPORTED);
  CHECK(postgresql("0A000", "ERROR: cannot alter type of a column used by a view") == CDCRT_UNSUPPORTED);
}

TEST_CASE("classification: what is missing in the catalog is a stale schema") {
  for (const char* state : {"42703", "42P01", "42P07", "42701", "3F000"}) CHECK(postgresql(state) == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "[SQLite]no such table: t (1)") == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "[SQLite]no such column: t.x (1)") == CDCRT_STALE_SCHEMA);
  CHECK(sqlite(1, "[SQLite]table t has no column named x (1)") == CDCRT_STALE_SCHEMA);
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

TEST_CASE("classification: a certificate that is refused is not taken for a server that is away, and the clock is named") {
  for (const char* text : {"connection to server at \"db\" (10.0.0.1), port 5432 failed: SSL error: certificate verify failed",
                           "server certificate for \"db.example.net\" does not match host name \"10.0.0.1\""}) {
    for (const Product product : {Product::kPostgresql, Product::kRedshift}) {
      const auto found = sql::classify({"08001", 1, text}, product, Moment::kConnect);
      CHECK(found.code == CDCRT_UNREACHABLE);
      CHECK(found.hint.find("this machine's clock") != std::string::npos);
    }
  }
}

TEST_CASE("classification: a missing right names itself in the hint") {
  const auto found = sql::classify({"42501", 1, "ERROR: permission denied for schema shop"}, Product::kPostgresql, Moment::kChange);
  CHECK(found.code == CDCRT_BAD_CONFIG);
  CHECK(found.hint.find("permission denied for schema shop") != std::string::npos);
}

TEST_CASE("classification: what nobody has listed is a row's or a table's trouble by its class, and never the pipeline's") {
  for (const char* state :
       {"P0001", "P0004", "U0001", "XX000", "21000", "2F005", "38001", "39P01", "44000", "20000", "22P06", "23P01", "23001"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_BAD_RECORD);
  }
  for (const char* state :
       {"55000", "428C9", "42804", "42883", "42601", "0A000", "23503", "3D000", "2BP01", "XX001", "HV000", "HY000", "42P17"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_UNSUPPORTED);
  }
  for (const char* state : {"57P05", "57000", "58030", "53400", "08P01", "26000"}) {
    CAPTURE(state);
    CHECK(postgresql(state) == CDCRT_RETRY);
  }
  CHECK(postgresql("55006") == CDCRT_BUSY);
  for (const char* text : {"near \"x\": syntax error", "cannot INSERT into generated column \"x\"", "anything else"})
    CHECK(sqlite(1, text) == CDCRT_UNSUPPORTED);
  for (const int native : {1811, 3091, 275}) CHECK(sqlite(native) == CDCRT_BAD_RECORD);
  CHECK(sqlite(11) == CDCRT_UNSUPPORTED);
  for (const char* state : {"25001", "07002"}) CHECK(postgresql(state) == CDCRT_FATAL);
  // What the server itself says of them, a trigger made up: at a statement, or deferred to COMMIT.
  for (const char* state : {"25001", "07002", "24000", "26000", "34000"}) {
    CHECK(postgresql(state, "ERROR: no") == CDCRT_RETRY);
    CHECK(postgresql(state, "ERROR: no", Moment::kCommit) == CDCRT_RETRY);
  }
  CHECK(sqlite(21) == CDCRT_FATAL);
  CHECK(sql::classify({"XX000", 1, "who knows"}, Product::kRedshift, Moment::kStatement).code == CDCRT_UNSUPPORTED);
  CHECK(sql::classify({"P0001", 1, "who knows"}, Product::kRedshift, Moment::kStatement).code == CDCRT_BAD_RECORD);
}

TEST_CASE("classification: a commit that was refused is told from one whose outcome is unknown") {
  for (const char* state : {"XX000", "08006", "HY000"}) CHECK(postgresql(state, "", Moment::kCommit) == CDCRT_RETRY);
  for (const char* state : {"23505", "P0001"}) CHECK(postgresql(state, "", Moment::kCommit) == CDCRT_BAD_RECORD);
  CHECK(postgresql("23503", "", Moment::kCommit) == CDCRT_UNSUPPORTED);
  CHECK(postgresql("23505", "duplicate key value violates unique constraint \"pg_type_typname_nsp_index\"", Moment::kChange) ==
        CDCRT_RETRY);
}

TEST_CASE("classification: the status keeps SQLSTATE, native number and the words of what was done") {
  const auto status =
      sql::to_status({"22003", 7, "value out of range"}, Product::kPostgresql, Moment::kStatement, "cannot upsert into table \"t\"");
  CHECK(status.message() == "cannot upsert into table \"t\": value out of range");
  CHECK(status.sqlstate() == "22003");
  CHECK(status.native() == 7);
  CHECK(sql::to_status({"22003", 7, "ERROR: out of range;\n\tDETAIL:  so\r\n"}, Product::kPostgresql, Moment::kStatement, "x").message() ==
        "x: ERROR: out of range; DETAIL: so");
}
