#include "cdcrt/sdk/option.hpp"
#include "odbc/options.hpp"
#include "odbc_sink.hpp"
#include "postgresql/dialect.hpp"
#include "postgresql/options.hpp"
#include "sqlite_dialect.hpp"

namespace {

namespace option = cdcrt::sdk::option;
namespace shared = cdcrt::odbc::options;
using namespace std::chrono_literals;

constexpr const char* kDialects[] = {"auto", "sqlite", "postgresql", nullptr};

constexpr cdcrt_option kOptions[] = {
    shared::connection()
        .example("{ Driver = \"PostgreSQL Unicode\", Server = \"db\", Database = \"shop\", UID = \"loader\", PWD = \"${env:PGPASSWORD}\" }")
        .doc("The ODBC connection as a table; values are quoted for you. `Driver` names an installed driver (`odbcinst -q -d`). A relative "
             "`Database` of SQLite starts at the current directory. Exclusive with `dsn`."),
    shared::dsn(),
    shared::login()
        .example("\"${aws-sm:rds!db-shop}\"")
        .doc("Who logs in, and where, in one: a JSON object with `username` and `password`, and `host`, `port` and `dbname` where "
             "`connection` does not name them, as secrets managers keep it (`${aws-sm:...}`, `${file:...}`). Not with SQLite."),
    option::one_of("dialect", kDialects)
        .default_value("auto")
        .example("\"postgresql\"")
        .doc("How the database is spoken to. `auto` asks the driver which database it is."),
    option::boolean("look_only")
        .advanced()
        .default_value("false")
        .example("true")
        .doc("SQLite: a database file that is not there is an empty one, and is not made. Set by commands that only look."),
    shared::connect_timeout(24h).default_value("15s").example("\"5s\"").doc("How long connecting may take."),
    cdcrt::postgresql::options::lock_timeout(),
    cdcrt::postgresql::options::statement_timeout(),
    cdcrt::postgresql::options::idle_timeout(),
};

}  // namespace

const char* cdcrt::odbc::OdbcSink::notes() {
  static const std::string text = "## Types\n\n" + cdcrt::sql::type_table(cdcrt::sql::postgresql().types()) + "\n" +
                                  cdcrt::sql::type_table(cdcrt::sql::sqlite().types());
  return text.c_str();
}

CDCRT_SINK("odbc", "0.1.0", cdcrt::odbc::OdbcSink, kOptions)
