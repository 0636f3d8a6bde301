// TargetSession: one session with the warehouse: its set-up, statements as text, small answers as text.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/clock.hpp"
#include "cdcrt/sdk/status.hpp"
#include "odbc/session.hpp"
#include "redshift_ddl.hpp"
#include "settings.hpp"

namespace cdcrt::redshift {

using Field = std::optional<std::string>;

/// One thread. Autocommit; BEGIN and COMMIT are statements like others.
class TargetSession {
 public:
  explicit TargetSession(const Settings& settings) : settings_(settings), session_(settings.connection) {}

  /// Connects and sets the session up. AUTH, UNREACHABLE, BAD_CONFIG, RETRY, UNSUPPORTED (a driver that changes text on its way).
  sdk::Status connect();
  /// `rows` receives how many rows were changed.
  sdk::Status execute(std::string_view text, std::string_view doing, sql::Moment moment = sql::Moment::kStatement, int64_t* rows = nullptr);
  /// Calls `visit` for each row, as long as it answers true. The answer should be small: drivers keep all of it.
  sdk::Status select(std::string_view text, std::size_t columns, std::string_view doing,
                     const std::function<bool(const std::vector<Field>&)>& visit);
  /// First field of the first row; none where there is no row or it is NULL.
  sdk::Status answer(std::string_view text, std::string_view doing, Field& out);
  /// What time the warehouse has.
  sdk::Status read_clock(std::vector<sdk::Clock>& out);
  /// No message may repeat these from now on.
  void hide(std::vector<std::string> secrets) { session_.hide(std::move(secrets)); }

  [[nodiscard]] const sql::redshift::Names& names() const { return names_; }
  /// Schemas that are known to be there, until forget_schemas(): a transaction that made or met them ended otherwise than by COMMIT.
  [[nodiscard]] bool knows_schema(const std::string& schema) const { return schemas_.contains(schema); }
  void met_schema(const std::string& schema) { schemas_.insert(schema); }
  void forget_schemas() { schemas_.clear(); }
  /// The table's schema, folded: the given one or the session's.
  [[nodiscard]] std::string schema_of(const cdcrt_table& table) const;
  /// Quoted, always with its schema.
  sdk::Status append_table(std::string& out, const cdcrt_table& table) const;

 private:
  sdk::Status set_up();
  sdk::Status set_parameters();
  sdk::Status check_encoding(Field& current_schema);

  const Settings& settings_;
  odbc::Session session_;
  sql::redshift::Names names_;
  std::string default_schema_;
  std::set<std::string> schemas_;
};

}  // namespace cdcrt::redshift
