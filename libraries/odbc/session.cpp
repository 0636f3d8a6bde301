#include "odbc/session.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "cdcrt/sdk/near_names.hpp"

namespace cdcrt::odbc {

using sdk::Status;

namespace {

constexpr std::size_t kLargeValue = 1 << 20;

bool good(SQLRETURN code) { return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO; }

SQLCHAR* characters(const char* text) { return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text)); }

/// psqlODBC ends its messages with what it was doing itself, which says nothing.
std::string tidy(std::string text) {
  const auto noise = text.find(";\nError while");
  if (noise != std::string::npos) text.erase(noise);
  while (!text.empty() && (text.back() == '\n' || text.back() == ';' || text.back() == ' ')) text.pop_back();
  return text;
}

/// psqlODBC counts the connections that want no log; when the last of them ends, odbcinst.ini decides again (Debian's says CommLog = 1),
/// and each process leaves a file in /tmp. An attempt that failed stays counted: one that cannot succeed keeps the log off.
void keep_log_off(const ConnectionSettings& settings, SQLHENV environment) {
  if (settings.has("CommLog") || settings.has("B3")) return;  // somebody wants it
  static std::mutex mutex;
  static std::set<std::string> done;
  const std::string dsn = settings.dsn.empty() ? settings.value("DSN") : settings.dsn;
  const std::string text = (dsn.empty() ? "Driver={" + settings.value("Driver") + "}" : "DSN=" + dsn) +
                           ";Server=/nonexistent;Port=1;Database=none;UID=none;CommLog=0;Debug=0;";
  const std::lock_guard lock(mutex);
  if (!done.insert(text).second) return;
  SQLHDBC connection = SQL_NULL_HDBC;
  if (!good(SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection))) return;
  if (good(SQLDriverConnect(connection, nullptr, characters(text.c_str()), SQL_NTS, nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT)))
    SQLDisconnect(connection);
  SQLFreeHandle(SQL_HANDLE_DBC, connection);
}

}  // namespace

Session::~Session() {
  if (connected_) SQLDisconnect(connection_);
  if (connection_ != SQL_NULL_HDBC) SQLFreeHandle(SQL_HANDLE_DBC, connection_);
  if (environment_ != SQL_NULL_HENV) SQLFreeHandle(SQL_HANDLE_ENV, environment_);
}

Status Session::error(SQLSMALLINT handle_type, SQLHANDLE handle, sql::Moment moment, std::string_view doing) const {
  sql::DriverError found;
  for (SQLSMALLINT record = 1; record <= 8; ++record) {
    SQLCHAR state[6] = "";
    SQLINTEGER native = 0;
    SQLSMALLINT length = 0;
    std::string text(4096, '\0');
    const SQLRETURN code = SQLGetDiagRec(handle_type, handle, record, state, &native, reinterpret_cast<SQLCHAR*>(text.data()),
                                         static_cast<SQLSMALLINT>(text.size()), &length);
    if (!good(code)) break;
    text.resize(std::min<std::size_t>(text.size() - 1, length > 0 ? static_cast<std::size_t>(length) : 0));
    text = tidy(scrub(scrub(std::move(text), settings_), more_secrets_));
    if (record == 1) {
      found.sqlstate = reinterpret_cast<const char*>(state);
      found.native = native;
      found.text = text;
    } else if (!text.empty() && found.text.find(text) == std::string::npos) {
      found.text += "; " + text;
    }
  }
  if (found.sqlstate.empty()) found.sqlstate = "HY000";
  if (moment == sql::Moment::kConnect &&
      (found.sqlstate == "IM002" || found.sqlstate == "IM003" || found.text.find("Can't open lib") != std::string::npos)) {
    return missing_driver(found.text);
  }
  return sql::to_status(found, product_, moment, doing);
}

Status Session::missing_driver(const std::string& text) const {
  std::vector<std::string> drivers;
  std::string installed;
  SQLCHAR name[256] = "";
  SQLCHAR attributes[512] = "";
  SQLSMALLINT name_length = 0;
  SQLSMALLINT attributes_length = 0;
  SQLUSMALLINT direction = SQL_FETCH_FIRST;
  while (good(SQLDrivers(environment_, direction, name, sizeof name, &name_length, attributes, sizeof attributes, &attributes_length))) {
    drivers.emplace_back(reinterpret_cast<const char*>(name));
    installed += (installed.empty() ? "\"" : ", \"") + drivers.back() + "\"";
    direction = SQL_FETCH_NEXT;
  }
  const std::string wanted =
      settings_.dsn.empty() ? "ODBC driver \"" + settings_.value("Driver") + "\"" : "data source \"" + settings_.dsn + "\"";
  std::string meant;
  if (settings_.dsn.empty()) meant = sdk::did_you_mean(sdk::near_names(settings_.value("Driver"), drivers));
  return Status::
      error(CDCRT_UNREACHABLE, wanted + " cannot be used: " + text + "; drivers installed: " + (installed.empty() ? "none" : installed),
            meant + (meant.empty() ? "" : " Else ") +
                "name one of the installed drivers, or install it: Debian has odbc-postgresql (\"PostgreSQL Unicode\", \"PostgreSQL ANSI\") "
                "and libsqliteodbc (\"SQLite3\"); data sources are listed by `odbcinst -q -s`")
          .with_native(0, "IM002");
}

Status Session::connect(sql::Product product, std::chrono::microseconds timeout) {
  product_ = product;
  if (!good(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment_))) return Status::fatal("unixODBC gave no environment");
  SQLSetEnvAttr(environment_, SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(static_cast<std::uintptr_t>(SQL_OV_ODBC3)), 0);
  if (guess_product(settings_) == sql::Product::kPostgresql) keep_log_off(settings_, environment_);
  if (!good(SQLAllocHandle(SQL_HANDLE_DBC, environment_, &connection_))) return Status::fatal("unixODBC gave no connection handle");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(timeout).count();
  if (seconds > 0)
    SQLSetConnectAttr(connection_, SQL_ATTR_LOGIN_TIMEOUT, reinterpret_cast<SQLPOINTER>(static_cast<std::uintptr_t>(seconds)), 0);
  std::string text;
  Status status = connection_string(settings_, product, text);
  if (!status) return status;
  const SQLRETURN code =
      SQLDriverConnect(connection_, nullptr, characters(text.c_str()), SQL_NTS, nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
  if (!good(code)) return error(SQL_HANDLE_DBC, connection_, sql::Moment::kConnect, "cannot connect to the target");
  connected_ = true;
  char name[256] = "";
  SQLSMALLINT length = 0;
  SQLGetInfo(connection_, SQL_DBMS_NAME, name, sizeof name, &length);
  product_name_ = name;
  if (product == sql::Product::kRedshift) return {};  // psqlODBC calls every server PostgreSQL
  if (product_name_.find("PostgreSQL") != std::string::npos)
    product_ = sql::Product::kPostgresql;
  else if (product_name_.find("SQLite") != std::string::npos)
    product_ = sql::Product::kSqlite;
  else
    product_ = sql::Product::kUnknown;
  return {};
}

void Session::disconnect() {
  if (std::exchange(connected_, false)) SQLDisconnect(connection_);
}

Status Session::reconnect() {
  disconnect();
  std::string text;
  Status status = connection_string(settings_, product_, text);
  if (!status) return status;
  const SQLRETURN code =
      SQLDriverConnect(connection_, nullptr, characters(text.c_str()), SQL_NTS, nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
  if (!good(code)) return error(SQL_HANDLE_DBC, connection_, sql::Moment::kConnect, "cannot connect to the target");
  connected_ = true;
  return {};
}

Status Session::execute(std::string_view text, sql::Moment moment, std::string_view doing) {
  SQLHSTMT statement = SQL_NULL_HSTMT;
  if (!good(SQLAllocHandle(SQL_HANDLE_STMT, connection_, &statement))) return error(SQL_HANDLE_DBC, connection_, moment, doing);
  SQLSetStmtAttr(statement, SQL_ATTR_NOSCAN, reinterpret_cast<SQLPOINTER>(static_cast<std::uintptr_t>(SQL_NOSCAN_ON)), 0);
  const SQLRETURN code = SQLExecDirect(statement, characters(text.data()), static_cast<SQLINTEGER>(text.size()));
  Status status;
  if (!good(code) && code != SQL_NO_DATA) status = error(SQL_HANDLE_STMT, statement, moment, doing);
  SQLFreeHandle(SQL_HANDLE_STMT, statement);
  return status;
}

// psqlODBC names a prepared statement after its handle's address and, when a transaction fails, forgets to deallocate some: the next handle
// at such an address can never be prepared. Planning anew costs less than one round trip.
std::unique_ptr<sql::Query> Session::query(std::string_view text, std::size_t parameters, sql::Planning /*planning*/,
                                           std::string_view doing, Status& status) {
  auto query = std::make_unique<Query>(*this);
  status = query->set_text(text, parameters, doing);
  if (!status) query.reset();
  return query;
}

Query::~Query() {
  if (statement_ != SQL_NULL_HSTMT) SQLFreeHandle(SQL_HANDLE_STMT, statement_);
}

Status Query::allocate(std::size_t parameters, std::string_view doing) {
  slots_.resize(parameters);
  if (!good(SQLAllocHandle(SQL_HANDLE_STMT, session_.handle(), &statement_))) {
    return session_.error(SQL_HANDLE_DBC, session_.handle(), sql::Moment::kStatement, doing);
  }
  // ODBC's own {escapes} are not looked for, so that a brace in a name stays one.
  SQLSetStmtAttr(statement_, SQL_ATTR_NOSCAN, reinterpret_cast<SQLPOINTER>(static_cast<std::uintptr_t>(SQL_NOSCAN_ON)), 0);
  return {};
}

Status Query::prepare(std::string_view text, std::size_t parameters, std::string_view doing) {
  Status status = allocate(parameters, doing);
  if (!status) return status;
  const SQLRETURN code = SQLPrepare(statement_, characters(text.data()), static_cast<SQLINTEGER>(text.size()));
  if (!good(code)) return session_.error(SQL_HANDLE_STMT, statement_, sql::Moment::kStatement, doing);
  return {};
}

Status Query::set_text(std::string_view text, std::size_t parameters, std::string_view doing) {
  direct_ = text;
  return allocate(parameters, doing);
}

void Query::bind_null(std::size_t parameter) {
  if (slots_[parameter].kind == 0) bind_borrowed(parameter, 3, {});
  slots_[parameter].length = SQL_NULL_DATA;
}

void Query::bind_integer(std::size_t parameter, int64_t value) {
  Slot& place = slots_[parameter];
  if (place.kind != 1) {
    SQLBindParameter(statement_, static_cast<SQLUSMALLINT>(parameter + 1), SQL_PARAM_INPUT, SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &place.integer,
                     0, &place.length);
    place.kind = 1;
  }
  place.integer = value;
  place.length = 0;
}

void Query::bind_real(std::size_t parameter, double value) {
  Slot& place = slots_[parameter];
  if (place.kind != 2) {
    SQLBindParameter(statement_, static_cast<SQLUSMALLINT>(parameter + 1), SQL_PARAM_INPUT, SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, &place.real, 0,
                     &place.length);
    place.kind = 2;
  }
  place.real = value;
  place.length = 0;
}

void Query::bind_borrowed(std::size_t parameter, int kind, std::string_view bytes) {
  Slot& place = slots_[parameter];
  const auto size = static_cast<SQLLEN>(bytes.size());
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  SQLBindParameter(statement_, static_cast<SQLUSMALLINT>(parameter + 1), SQL_PARAM_INPUT, kind == 3 ? SQL_C_CHAR : SQL_C_BINARY,
                   kind == 3 ? SQL_LONGVARCHAR : SQL_LONGVARBINARY, size > 0 ? static_cast<SQLULEN>(size) : 1, 0, const_cast<char*>(data),
                   size, &place.length);
  place.length = size;
  place.kind = kind;
  has_large_ = has_large_ || bytes.size() > kLargeValue;
}

void Query::bind_text(std::size_t parameter, std::string_view text) { bind_borrowed(parameter, 3, text); }
void Query::bind_bytes(std::size_t parameter, std::string_view bytes) { bind_borrowed(parameter, 4, bytes); }

// Drivers keep their copies of what was bound until the next execute.
void Query::give_back_large() {
  if (!std::exchange(has_large_, false)) return;
  SQLFreeStmt(statement_, SQL_RESET_PARAMS);
  for (Slot& place : slots_) place.kind = 0;
}

Status Query::execute(sql::Moment moment, std::string_view doing, int64_t* rows) {
  const SQLRETURN code = direct_.empty() ? SQLExecute(statement_)
                                         : SQLExecDirect(statement_, characters(direct_.data()), static_cast<SQLINTEGER>(direct_.size()));
  if (good(code) || code == SQL_NO_DATA) give_back_large();
  if (!good(code) && code != SQL_NO_DATA) return session_.error(SQL_HANDLE_STMT, statement_, moment, doing);
  if (rows != nullptr) {
    SQLLEN count = 0;
    SQLRowCount(statement_, &count);
    *rows = code == SQL_NO_DATA ? 0 : static_cast<int64_t>(count);
  }
  return {};
}

Status Query::fetch(bool& found, std::string_view doing) {
  const SQLRETURN code = SQLFetch(statement_);
  found = good(code);
  if (found || code == SQL_NO_DATA) return {};
  return session_.error(SQL_HANDLE_STMT, statement_, sql::Moment::kStatement, doing);
}

Status Query::text(std::size_t column, std::string& out, bool& null, std::string_view doing) {
  out.clear();
  null = false;
  char piece[16384];
  for (;;) {
    SQLLEN length = 0;
    const SQLRETURN code = SQLGetData(statement_, static_cast<SQLUSMALLINT>(column + 1), SQL_C_CHAR, piece, sizeof piece, &length);
    if (code == SQL_NO_DATA) return {};
    if (!good(code)) return session_.error(SQL_HANDLE_STMT, statement_, sql::Moment::kStatement, doing);
    if (length == SQL_NULL_DATA) {
      null = true;
      return {};
    }
    // `length` is what was left before this piece, or unknown; a full piece ends with a NUL of the driver's.
    const bool whole = code == SQL_SUCCESS || (length != SQL_NO_TOTAL && static_cast<std::size_t>(length) < sizeof piece);
    out.append(piece, whole ? static_cast<std::size_t>(length) : sizeof piece - 1);
    if (whole) return {};
  }
}

void Query::close() { SQLFreeStmt(statement_, SQL_CLOSE); }

}  // namespace cdcrt::odbc
