#include "odbc/login.hpp"

#include <initializer_list>
#include <string>

#include "sql/login.hpp"

namespace cdcrt::odbc {
namespace {

using sdk::Status;

bool names(const ConnectionSettings& settings, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (settings.has(key)) return true;
  return false;
}

}  // namespace

Status add_login(std::string_view json, ConnectionSettings& settings) {
  if (guess_product(settings) == sql::Product::kSqlite)
    return Status::bad_config("login", "SQLite has no users to log in", "leave `login` out");
  sql::Login login;
  if (Status status = sql::read_login(json, login); !status) return status;
  for (const char* key : {"UID", "User", "Username", "LogonID", "PWD", "Password"}) {
    if (settings.has(key)) return sql::login_said_twice(key);
  }
  const bool has_place = !settings.dsn.empty() || names(settings, {"DSN", "FileDSN"});
  struct Member {
    const char *name, *key;
    const std::string& value;
    bool given;
  };
  const Member place[] = {{"host", "Server", login.host, names(settings, {"Server", "Servername", "Host", "HostName"})},
                          {"port", "Port", login.port, names(settings, {"Port", "PortNumber"})},
                          {"dbname", "Database", login.dbname, names(settings, {"Database", "DB"})}};
  for (const auto& [name, key, value, given] : place) {
    if (!given && !value.empty() && !has_place) settings.pairs.emplace_back(key, value);
    if (given || !value.empty() || has_place || *name == 'p') continue;
    return Status::bad_config("connection", std::string("neither the connection nor the login says the ") + name,
                              std::string("add ") + key + " to the connection");
  }
  settings.pairs.emplace_back("UID", login.username);
  settings.pairs.emplace_back("PWD", login.password);
  settings.secrets.push_back(login.password);
  return {};
}

}  // namespace cdcrt::odbc
