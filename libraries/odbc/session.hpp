// Session: one ODBC connection, its statements and its errors. The only place that knows the ODBC API.
#pragma once

#include <sql.h>
#include <sqlext.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "odbc/connection_string.hpp"
#include "sql/classification.hpp"

namespace cdcrt::odbc {

/// Connects and disconnects. One thread.
class Session {
 public:
  explicit Session(const ConnectionSettings& settings) : settings_(settings) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// AUTH, UNREACHABLE (a missing driver is answered with those installed), BAD_CONFIG or RETRY when it fails.
  sdk::Status connect(sql::Product product, std::chrono::microseconds timeout);
  /// Connects anew: a driver's buffers that grew for one large value are gone. Nothing of the session is left; no statement may be.
  sdk::Status reconnect();
  /// Every later statement fails as it does where the connection is lost.
  void disconnect();
  [[nodiscard]] sql::Product product() const { return product_; }
  [[nodiscard]] const std::string& product_name() const { return product_name_; }  ///< as the driver calls it
  [[nodiscard]] SQLHDBC handle() const { return connection_; }
  /// Texts that statements hold and that no message may repeat: replaces those given before.
  void hide(std::vector<std::string> secrets) { more_secrets_.secrets = std::move(secrets); }
  /// Executes text without parameters. `doing` starts the message when it fails.
  sdk::Status execute(std::string_view text, sql::Moment moment, std::string_view doing);
  /// The error that a handle holds.
  sdk::Status error(SQLSMALLINT handle_type, SQLHANDLE handle, sql::Moment moment, std::string_view doing) const;

 private:
  sdk::Status missing_driver(const std::string& text) const;

  const ConnectionSettings& settings_;
  sql::Product product_ = sql::Product::kUnknown;
  std::string product_name_;
  ConnectionSettings more_secrets_;
  SQLHENV environment_ = SQL_NULL_HENV;
  SQLHDBC connection_ = SQL_NULL_HDBC;
  bool connected_ = false;
};

/// A prepared statement. What is bound is borrowed until the next execute() returns. One thread; dies before its session.
class Query {
 public:
  explicit Query(Session& session) : session_(session) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  sdk::Status prepare(std::string_view text, std::size_t parameters, std::string_view doing);
  /// Without a plan kept by the server, so that nothing of it can outlive a failed transaction.
  sdk::Status set_text(std::string_view text, std::size_t parameters, std::string_view doing);
  /// Parameters are numbered from 0. Bind every one before each execute.
  void bind_null(std::size_t parameter);
  void bind_text(std::size_t parameter, std::string_view text);
  void bind_bytes(std::size_t parameter, std::string_view bytes);
  void bind_integer(std::size_t parameter, int64_t value);
  void bind_real(std::size_t parameter, double value);
  /// `rows` receives how many rows were changed.
  sdk::Status execute(sql::Moment moment, std::string_view doing, int64_t* rows = nullptr);
  /// `found` is false after the last row.
  sdk::Status fetch(bool& found, std::string_view doing);
  /// Columns are numbered from 0 and read in order, once each. A value of any length, whole.
  sdk::Status text(std::size_t column, std::string& out, bool& null, std::string_view doing);
  void close();

 private:
  struct Slot {
    int64_t integer = 0;
    double real = 0;
    SQLLEN length = 0;
    int kind = 0;  // what is bound now: 0 nothing, 1 integer, 2 real, 3 text, 4 bytes
  };
  void bind_borrowed(std::size_t parameter, int kind, std::string_view bytes);
  void give_back_large();

  sdk::Status allocate(std::size_t parameters, std::string_view doing);

  Session& session_;
  std::string direct_;  // set_text's
  SQLHSTMT statement_ = SQL_NULL_HSTMT;
  std::vector<Slot> slots_;  // bound by address: sized once
  bool has_large_ = false;   // of what is bound
};

}  // namespace cdcrt::odbc
