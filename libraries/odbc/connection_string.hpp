// The connection string, from the manifest's table: every value quoted here, secrets known for scrubbing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "sql/classification.hpp"

namespace cdcrt::odbc {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// What open() connects with. Copyable; holds secrets, never printed.
struct ConnectionSettings {
  Pairs pairs;      ///< as the operator wrote them
  std::string dsn;  ///< exclusive with pairs
  std::vector<std::string> secrets;

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::string value(std::string_view key) const;  ///< empty when not given
};

/// Checks keys and values. `login`: see add_login; empty: none. BAD_CONFIG names `connection`, `connection.KEY`, `dsn` or `login`.
sdk::Status make_settings(Pairs pairs, std::string dsn, ConnectionSettings& out, std::string_view login = {});

/// `KEY=value;...` with the product's own settings added where the operator gave none.
sdk::Status connection_string(const ConnectionSettings& settings, sql::Product product, std::string& out);

/// Text of a driver without any secret of the settings.
std::string scrub(std::string text, const ConnectionSettings& settings);

/// By the driver's name or the DSN's driver, without connecting; kUnknown when neither tells.
sql::Product guess_product(const ConnectionSettings& settings);

}  // namespace cdcrt::odbc
