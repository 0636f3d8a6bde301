#include "odbc/login.hpp"

#include <doctest/doctest.h>

using namespace cdcrt;

namespace {

constexpr const char* kLogin =
    R"({"engine":"redshift","username":"loader","password":"p;}1","host":"h.example","port":5439,"dbname":"dev"})";

sdk::Status make(odbc::Pairs pairs, const std::string& login, odbc::ConnectionSettings& out, std::string dsn = {}) {
  return odbc::make_settings(std::move(pairs), std::move(dsn), out, login);
}

}  // namespace

TEST_CASE("login: one object says who and where, and the connection adds what it lacks") {
  odbc::ConnectionSettings out;
  REQUIRE(make({{"Driver", "PostgreSQL Unicode"}, {"SSLmode", "require"}}, kLogin, out).ok());
  CHECK(out.value("UID") == "loader");
  CHECK(out.value("PWD") == "p;}1");
  CHECK(out.value("Server") == "h.example");
  CHECK(out.value("Port") == "5439");
  CHECK(out.value("Database") == "dev");
  CHECK(odbc::scrub("refused p;}1", out) == "refused ***");

  out = {};
  REQUIRE(make({{"Driver", "Amazon Redshift (x64)"}, {"Host", "other"}, {"PortNumber", "1"}, {"DB", "d"}}, kLogin, out).ok());
  CHECK(!out.has("Server"));
  CHECK(!out.has("Port"));
  CHECK(!out.has("Database"));

  // A data source says where by itself.
  out = {};
  REQUIRE(make({}, R"({"username":"u","password":"p"})", out, "warehouse").ok());
  CHECK(out.value("UID") == "u");
  CHECK(!out.has("Server"));
}

TEST_CASE("login: what is no login, or one too many, is refused without a word of what it holds") {
  const struct {
    odbc::Pairs pairs;
    const char *login, *message;
  } cases[] = {
      {{{"Driver", "PostgreSQL"}}, "hidden", "is no JSON object"},
      {{{"Driver", "PostgreSQL"}}, "[\"hidden\"]", "is no JSON object"},
      {{{"Driver", "PostgreSQL"}}, R"({"password":"hidden"})", "has no username"},
      {{{"Driver", "PostgreSQL"}}, R"({"username":"hidden"})", "has no password"},
      {{{"Driver", "PostgreSQL"}}, R"({"username":"hidden","password":"hidden"})", "neither the connection nor the login says the host"},
      {{{"Driver", "PostgreSQL"}, {"Server", "s"}}, R"({"username":"hidden","password":"hidden"})", "says the dbname"},
      {{{"Driver", "PostgreSQL"}, {"uid", "x"}}, kLogin, "names a user or password, and so does the login"},
      {{{"Driver", "PostgreSQL"}, {"Password", "x"}}, kLogin, "names a user or password, and so does the login"},
      {{{"Driver", "SQLite3"}, {"Database", "x"}}, kLogin, "SQLite has no users"},
      {{{"Driver", "PostgreSQL"}}, "{\"username\":\"hidden\\u0000\",\"password\":\"x\",\"host\":\"h\",\"dbname\":\"d\"}", "NUL"},
  };
  for (const auto& [pairs, login, message] : cases) {
    odbc::ConnectionSettings out;
    const auto status = make(pairs, login, out);
    CAPTURE(message);
    CHECK(status.code() == CDCRT_BAD_CONFIG);
    CHECK(status.message().find(message) != std::string_view::npos);
    CHECK(status.message().find("hidden") == std::string_view::npos);
    CHECK(status.message().find("p;}1") == std::string_view::npos);
  }
}
