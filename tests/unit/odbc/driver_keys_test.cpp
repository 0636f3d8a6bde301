#include "odbc/driver_keys.hpp"

#include <doctest/doctest.h>

using namespace cdcrt;

namespace {

sdk::Status settings(odbc::Pairs pairs) {
  odbc::ConnectionSettings out;
  return odbc::make_settings(std::move(pairs), {}, out);
}

}  // namespace

TEST_CASE("connection: a key that the driver does not know is refused with the one that is meant") {
  struct Case {
    const char *driver, *key, *meant;
  };
  for (const Case& each : {Case{"SQLite3", "Databse", "Database"},
                           {"SQLite3", "file", "Database"},
                           {"SQLite3", "Timout", "Timeout"},
                           {"PostgreSQL Unicode", "Host", "Server"},
                           {"PostgreSQL Unicode", "Sever", "Server"},
                           {"PostgreSQL Unicode", "user", "UID"},
                           {"psqlodbcw.so", "sslmod", "SSLmode"}}) {
    CAPTURE(each.key);
    const auto status = settings({{"Driver", each.driver}, {each.key, "x"}});
    CHECK(status.code() == CDCRT_BAD_CONFIG);
    CHECK(std::string(status.hint()) == "did you mean \"" + std::string(each.meant) + "\"?");
  }
}

TEST_CASE("connection: keys of the drivers pass in any case, abbreviations and other drivers too") {
  for (const char* key : {"server", "SERVERNAME", "Port", "Database", "UID", "pwd", "SSLmode", "B3", "a1", "CA", "ConnSettings", "pqopt"}) {
    CAPTURE(key);
    CHECK(settings({{"Driver", "PostgreSQL Unicode"}, {key, "x"}}).ok());
  }
  for (const char* key : {"Database", "journalmode", "SyncPragma", "FKSupport", "Timeout", "LoadExt"}) {
    CAPTURE(key);
    CHECK(settings({{"Driver", "SQLite3"}, {key, "x"}}).ok());
  }
  CHECK(settings({{"Driver", "Amazon Redshift (x64)"}, {"Whatever", "x"}}).ok());
  CHECK(settings({{"DSN", "warehouse"}, {"Whatever", "x"}}).ok());
}
