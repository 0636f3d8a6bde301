#include "connection_settings.hpp"

#include <libpq-fe.h>
#include <strings.h>

#include <algorithm>
#include <memory>

#include "sql/login.hpp"

namespace cdcrt::pq {

using sdk::Status;

namespace {

using Known = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Known known_parameters() { return {PQconndefaults(), &PQconninfoFree}; }

const PQconninfoOption* find(const Known& known, const std::string& key) {
  for (const PQconninfoOption* each = known.get(); each != nullptr && each->keyword != nullptr; ++each) {
    if (key == each->keyword) return each;
  }
  return nullptr;
}

/// What the ODBC driver, and people, call it.
std::string meant(const std::string& key) {
  constexpr std::pair<const char*, const char*> kNames[] = {{"server", "host"},     {"servername", "host"}, {"hostname", "host"},
                                                            {"database", "dbname"}, {"db", "dbname"},       {"uid", "user"},
                                                            {"username", "user"},   {"pwd", "password"},    {"port", "port"}};
  for (const auto& [other, name] : kNames) {
    if (strcasecmp(key.c_str(), other) == 0) return name;
  }
  std::string lower = key;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return lower;
}

Status check(const Known& known, const std::string& key, const std::string& value) {
  const std::string option = "connection." + key;
  const PQconninfoOption* const found = find(known, key);
  // What the sink relies on, and sets itself.
  if (key == "client_encoding" || key == "replication")
    return Status::bad_config(option, "the sink sets " + key + " itself", "leave it out");
  if (found == nullptr) {
    const std::string name = meant(key);
    return Status::bad_config(
        option, "libpq has no connection parameter \"" + key + "\"",
        find(known, name) != nullptr ? "it is called " + name : "see \"Parameter Key Words\" of PostgreSQL's documentation");
  }
  if (value.find('\0') != std::string::npos) return Status::bad_config(option, "the value holds a NUL character");
  return {};
}

Status add_login(std::string_view json, ConnectionSettings& settings) {
  sql::Login login;
  if (Status status = sql::read_login(json, login); !status) return status;
  for (const char* const key : {"user", "password"}) {
    if (settings.has(key)) return sql::login_said_twice(key);
  }
  settings.pairs.emplace_back("user", login.username);
  settings.pairs.emplace_back("password", login.password);
  settings.secrets.push_back(login.password);
  if (settings.has("service")) return {};
  for (const auto& [key, value] : {std::pair("host", login.host), std::pair("port", login.port), std::pair("dbname", login.dbname)}) {
    if (!value.empty() && !settings.has(key)) settings.pairs.emplace_back(key, value);
  }
  return {};
}

}  // namespace

bool ConnectionSettings::has(std::string_view key) const {
  return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
}

Status make_settings(Pairs pairs, std::string_view login, ConnectionSettings& out) {
  const Known known = known_parameters();
  for (const auto& [key, value] : pairs) {
    Status status = check(known, key, value);
    if (!status) return status;
    const PQconninfoOption* const found = find(known, key);
    if (found->dispchar != nullptr && found->dispchar[0] == '*' && !value.empty()) out.secrets.push_back(value);
  }
  out.pairs = std::move(pairs);
  return login.empty() ? Status() : add_login(login, out);
}

std::string hide_secrets(std::string text, const ConnectionSettings& settings) {
  constexpr std::size_t kShortest = 3;  // one of fewer characters is a part of any word
  for (const std::string& secret : settings.secrets) {
    if (secret.size() < kShortest) continue;
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3) text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace cdcrt::pq
