#include "cdcrt/sdk/option.hpp"
#include "postgresql/dialect.hpp"
#include "postgresql/options.hpp"
#include "postgresql_sink.hpp"

namespace {

namespace option = cdcrt::sdk::option;
namespace shared = cdcrt::postgresql::options;
using namespace std::chrono_literals;

constexpr cdcrt_option kOptions[] = {
    option::map("connection")
        .example(R"({ host = "db", dbname = "shop", user = "loader", password = "${env:PGPASSWORD}" })")
        .doc(
            "Parameters of libpq (`host`, `port`, `dbname`, `user`, `password`, `sslmode`, `service`, ...). What is left out comes from where "
            "libpq looks for it: PGHOST and its like, ~/.pgpass."),
    option::text("login")
        .secret()
        .example("\"${aws-sm:rds!db-shop}\"")
        .doc("Who logs in, and where, in one: a JSON object with `username` and `password`, and `host`, `port` and `dbname` where "
             "`connection` does not name them, as secrets managers keep it (`${aws-sm:...}`, `${file:...}`)."),
    option::duration("connect_timeout")
        .between(1s, 24h)
        .default_value("15s")
        .example("\"5s\"")
        .doc("How long connecting may take; at least 2 s."),
    option::boolean("copy").default_value("true").example("false").doc(
        "Sets of 250 rows and more that may be new go straight into the table by COPY, within the transaction and under its keys. "
        "Where one of them is there already, the set is written as others are. `false`: always as others."),
    shared::lock_timeout(),
    shared::statement_timeout(),
    shared::idle_timeout(),
};

}  // namespace

const char* cdcrt::pq::PostgresqlSink::notes() {
  static const std::string text = "## Types\n\n" + cdcrt::sql::type_table(cdcrt::sql::postgresql().types());
  return text.c_str();
}

CDCRT_SINK("postgresql", "0.1.0", cdcrt::pq::PostgresqlSink, kOptions)
