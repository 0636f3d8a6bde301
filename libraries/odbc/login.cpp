#include "odbc/login.hpp"

#include <rapidjson/document.h>

#include <initializer_list>
#include <string>

namespace cdcrt::odbc {
namespace {

using sdk::Status;

bool names(const ConnectionSettings& settings, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (settings.has(key)) return true;
  return false;
}

std::string member(const rapidjson::Document& login, const char* name) {
  const auto found = login.FindMember(name);
  if (found == login.MemberEnd()) return {};
  if (found->value.IsString()) return {found->value.GetString(), found->value.GetStringLength()};
  return found->value.IsUint() ? std::to_string(found->value.GetUint()) : std::string();
}

}  // namespace

Status add_login(std::string_view json, ConnectionSettings& settings) {
  constexpr const char* kForm =
      R"(it is a JSON object {"username": ..., "password": ...}, with host, port and dbname where the connection does not say them, )"
      "as ${aws-sm:ID} and ${redshift-iam:CLUSTER/DATABASE} are";
  if (guess_product(settings) == sql::Product::kSqlite)
    return Status::bad_config("login", "SQLite has no users to log in", "leave `login` out");
  rapidjson::Document login;
  login.Parse(json.data(), json.size());
  if (login.HasParseError() || !login.IsObject()) return Status::bad_config("login", "the login is no JSON object", kForm);
  const std::string user = member(login, "username"), password = member(login, "password");
  if (user.empty() || password.empty())
    return Status::bad_config("login", std::string("the login has no ") + (user.empty() ? "username" : "password"), kForm);
  for (const char* key : {"UID", "User", "Username", "LogonID", "PWD", "Password"}) {
    if (settings.has(key))
      return Status::bad_config("connection." + std::string(key), "the connection names a user or password, and so does the login",
                                "keep one of them");
  }
  const bool has_place = !settings.dsn.empty() || names(settings, {"DSN", "FileDSN"});
  struct Member {
    const char *name, *key;
    bool given;
  };
  const Member place[] = {{"host", "Server", names(settings, {"Server", "Servername", "Host", "HostName"})},
                          {"port", "Port", names(settings, {"Port", "PortNumber"})},
                          {"dbname", "Database", names(settings, {"Database", "DB"})}};
  for (const auto& [name, key, given] : place) {
    const std::string value = member(login, name);
    if (value.find('\0') != std::string::npos)
      return Status::bad_config("login", std::string("the login's ") + name + " holds a NUL character");
    if (!given && !value.empty() && !has_place) settings.pairs.emplace_back(key, value);
    if (given || !value.empty() || has_place || *name == 'p') continue;
    return Status::bad_config("connection", std::string("neither the connection nor the login says the ") + name,
                              std::string("add ") + key + " to the connection");
  }
  if (user.find('\0') != std::string::npos || password.find('\0') != std::string::npos)
    return Status::bad_config("login", "the login holds a NUL character");
  settings.pairs.emplace_back("UID", user);
  settings.pairs.emplace_back("PWD", password);
  settings.secrets.push_back(password);
  return {};
}

}  // namespace cdcrt::odbc
