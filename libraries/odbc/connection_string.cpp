#include "odbc/connection_string.hpp"

#include <odbcinst.h>

#include <algorithm>

#include "odbc/driver_keys.hpp"
#include "odbc/login.hpp"

namespace cdcrt::odbc {
namespace {

using sdk::Status;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_secret(std::string_view key) {
  const std::string name = lower(key);
  for (const char* part : {"pwd", "password", "secret", "token", "passphrase", "accesskey", "privatekey", "apikey", "credential"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

bool is_key(std::string_view key) {
  if (key.empty()) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ' ';
  });
}

bool needs_quotes(std::string_view value) {
  return !value.empty() && (value.find_first_of(";{}[]()?*=!@,") != std::string_view::npos || value.front() == ' ' || value.back() == ' ');
}

void append_pair(std::string& out, std::string_view key, std::string_view value, bool quoted) {
  out += key;
  out += '=';
  if (quoted) {
    out += '{';
    for (const char c : value) {
      if (c == '}') out += '}';
      out += c;
    }
    out += '}';
  } else {
    out += value;
  }
  out += ';';
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
}

}  // namespace

bool ConnectionSettings::has(std::string_view key) const {
  return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return lower(pair.first) == lower(key); });
}

std::string ConnectionSettings::value(std::string_view key) const {
  for (const auto& pair : pairs) {
    if (lower(pair.first) == lower(key)) return pair.second;
  }
  return {};
}

Status make_settings(Pairs pairs, std::string dsn, ConnectionSettings& out, std::string_view login) {
  if (!dsn.empty() && !pairs.empty()) return Status::bad_config("dsn", "both `connection` and `dsn` are given", "give one of them");
  if (dsn.empty() && pairs.empty()) {
    return Status::bad_config("connection", "the target is not named", "give connection = { Driver = \"...\", ... } or dsn = \"NAME\"");
  }
  if (dsn.find_first_of(";{}[]=\0") != std::string::npos) return Status::bad_config("dsn", "a data source name cannot hold ; { } [ ] =");
  std::vector<std::string> seen;
  for (const auto& [key, value] : pairs) {
    const std::string option = "connection." + key;
    if (!is_key(key))
      return Status::bad_config("connection", "key \"" + key + "\" of the connection is no ODBC keyword",
                                "letters, digits, _ - . and blanks");
    if (std::find(seen.begin(), seen.end(), lower(key)) != seen.end()) {
      return Status::bad_config(option, "key \"" + key + "\" of the connection is given twice; ODBC keywords do not tell case apart");
    }
    seen.push_back(lower(key));
    if (value.find('\0') != std::string::npos) return Status::bad_config(option, "the value holds a NUL character");
    if (is_secret(key) && !value.empty()) out.secrets.push_back(value);
  }
  out.pairs = std::move(pairs);
  out.dsn = std::move(dsn);
  if (out.dsn.empty() && !out.has("Driver") && !out.has("DSN") && !out.has("FileDSN")) {
    return Status::bad_config("connection", "the connection names no Driver",
                              "for example Driver = \"SQLite3\" or Driver = \"PostgreSQL Unicode\"");
  }
  Status status = check_driver_keys(out);
  if (status && !login.empty()) status = add_login(login, out);
  return status;
}

Status connection_string(const ConnectionSettings& settings, sql::Product product, std::string& out) {
  out.clear();
  const bool redshift = product == sql::Product::kRedshift;
  // Redshift is reached by Amazon's driver or by psqlODBC: what follows is about the driver.
  if (redshift && guess_product(settings) == sql::Product::kPostgresql) product = sql::Product::kPostgresql;
  if (!settings.dsn.empty()) append_pair(out, "DSN", settings.dsn, false);
  for (const auto& [key, value] : settings.pairs) {
    const bool driver = lower(key) == "driver";
    // SQLite's driver takes everything up to the next ';' as it stands, braces included.
    if (product == sql::Product::kSqlite && !driver) {
      if (value.find(';') != std::string::npos) {
        return Status::bad_config("connection." + key, "SQLite's ODBC driver cannot take a value with a ';' in it");
      }
      append_pair(out, key, value, false);
      continue;
    }
    const bool psql_plain =
        product == sql::Product::kPostgresql && !driver && !is_secret(key) && lower(key) != "connsettings" && lower(key) != "pqopt";
    if (psql_plain && value.find_first_of(";{}") != std::string::npos) {
      return Status::bad_config("connection." + key, "PostgreSQL's ODBC driver cannot take ; { } in this value");
    }
    append_pair(out, key, value, driver || (!psql_plain && needs_quotes(value)));
  }
  const auto add = [&](const char* key, const char* value, std::initializer_list<const char*> others = {}) {
    if (settings.has(key) || std::any_of(others.begin(), others.end(), [&](const char* other) { return settings.has(other); })) return;
    append_pair(out, key, value, false);
  };
  if (product == sql::Product::kSqlite) {
    add("Timeout", "2000");  // milliseconds that a lock is waited for, before the host tries again
    add("FKSupport", "0");
  } else if (product == sql::Product::kPostgresql) {
    add("UseServerSidePrepare", redshift ? "0" : "1", {"C8"});
    // A server that vanished without a word is noticed after half a minute (libpq's connection parameters).
    add("KeepaliveTime", "15", {"D8"});
    add("KeepaliveInterval", "5", {"D9"});
    add("pqopt", "keepalives_count=3 tcp_user_timeout=30000", {"D6"});
    // After an error the driver sets no savepoints of its own around each statement, and leaves it to us what is rolled back.
    add("Protocol", redshift ? "7.4-1" : "7.4-0", {"A1"});
    add("UseDeclareFetch", "0", {"B6"});
    add("ByteaAsLongVarBinary", "1", {"C6"});
    add("BoolsAsChar", "0", {"B9"});
    add("TextAsLongVarchar", "1", {"B8"});
    add("UnknownsAsLongVarchar", "1", {"B7"});
    add("MaxVarcharSize", "255", {"B0"});
    add("MaxLongVarcharSize", "1073741823", {"B1"});
    add("LFConversion", "0", {"C4"});
    add("Parse", "0", {"C0"});
    // Debian's odbcinst.ini has CommLog = 1: each session would leave its log in /tmp.
    add("CommLog", "0", {"B3"});
    add("Debug", "0", {"B2"});
  }
  return {};
}

std::string scrub(std::string text, const ConnectionSettings& settings) {
  for (const std::string& secret : settings.secrets) {
    if (secret.size() < 3) continue;
    std::string quoted = secret;
    replace_all(quoted, "}", "}}");
    replace_all(text, quoted, "***");
    replace_all(text, secret, "***");
  }
  // And whatever a driver repeats of a connection string, known to us or not (a DSN keeps its password in odbc.ini).
  const std::string plain = lower(text);
  std::string out;
  std::size_t done = 0;
  for (const char* key : {"pwd=", "password="}) {
    if (plain.find(key) == std::string::npos) continue;
    std::size_t at = 0;
    out.clear();
    done = 0;
    const std::string now = lower(text);
    while ((at = now.find(key, done)) != std::string::npos) {
      at += std::string_view(key).size();
      out.append(text, done, at - done);
      out += "***";
      const char opening = at < now.size() ? now[at] : '\0';
      if (opening == '{' || opening == '\'' || opening == '"') {
        const char closing = opening == '{' ? '}' : opening;
        done = at + 1;
        // Doubled, it is a part of the value.
        while (done < now.size() && (now[done] != closing || now.compare(done, 2, std::string(2, closing)) == 0))
          done += now[done] == closing ? 2 : 1;
        done = std::min(done + 1, now.size());
      } else {
        done = std::min(now.find_first_of("; \n", at), now.size());
      }
    }
    out.append(text, done, text.size() - done);
    text = out;
  }
  return text;
}

sql::Product guess_product(const ConnectionSettings& settings) {
  std::string driver = settings.value("Driver");
  if (driver.empty()) {
    const std::string dsn = settings.dsn.empty() ? settings.value("DSN") : settings.dsn;
    if (dsn.empty()) return sql::Product::kUnknown;
    char found[512] = "";
    SQLGetPrivateProfileString(dsn.c_str(), "Driver", "", found, sizeof found, "odbc.ini");
    driver = found;
  }
  driver = lower(driver);
  if (driver.find("redshift") != std::string::npos || driver.find("rsodbc") != std::string::npos) return sql::Product::kRedshift;
  if (driver.find("sqlite") != std::string::npos) return sql::Product::kSqlite;
  if (driver.find("postgres") != std::string::npos || driver.find("psql") != std::string::npos) return sql::Product::kPostgresql;
  return sql::Product::kUnknown;
}

}  // namespace cdcrt::odbc
