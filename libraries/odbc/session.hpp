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
#include "sql/session.hpp"

namespace cdcrt::odbc {

/// Connects and disconnects. One thread.
class Session final : public sql::Session {
 public:
  explicit Session(const ConnectionSettings& settings) : settings_(settings) {}
  ~Session() override;

  /// AUTH, UNREACHABLE (a missing driver is answered with those installed), BAD_CONFIG or RETRY when it fails.
  sdk::Status connect(sql::Product product, std::chrono::microseconds timeout);
  sdk::Status reconnect() override;
  void disconnect() override;
  std::unique_ptr<sql::Query> query(std::string_view text, std::size_t parameters, sql::Planning planning, std::string_view doing,
                                    sdk::Status& status) override;
  [[nodiscard]] sql::Product product() const { return product_; }
  [[nodiscard]] const std::string& product_name() const { return product_name_; }  ///< as the driver calls it
  [[nodiscard]] SQLHDBC handle() const { return connection_; }
  /// Texts that statements hold and that no message may repeat: replaces those given before.
  void hide(std::vector<std::string> secrets) { more_secrets_.secrets = std::move(secrets); }
  sdk::Status execute(std::string_view text, sql::Moment moment, std::string_view doing) override;
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
class Query final : public sql::Query {
 public:
  explicit Query(Session& session) : session_(session) {}
  ~Query() override;

  sdk::Status prepare(std::string_view text, std::size_t parameters, std::string_view doing);
  /// Without a plan kept by the server, so that nothing of it can outlive a failed transaction.
  sdk::Status set_text(std::string_view text, std::size_t parameters, std::string_view doing);
  void bind_null(std::size_t parameter);
  void bind_text(std::size_t parameter, std::string_view text) override;
  void bind_bytes(std::size_t parameter, std::string_view bytes);
  void bind_integer(std::size_t parameter, int64_t value);
  void bind_real(std::size_t parameter, double value);
  using sql::Query::execute;
  sdk::Status execute(sql::Moment moment, std::string_view doing, int64_t* rows) override;
  sdk::Status fetch(bool& found, std::string_view doing) override;
  sdk::Status text(std::size_t column, std::string& out, bool& null, std::string_view doing) override;
  void close() override;

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
