#include "odbc/driver_keys.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::odbc {
namespace {

using sdk::Status;

// Of unixODBC's driver manager, with any driver.
constexpr std::string_view kManager[] = {"Driver", "DSN", "FileDSN", "SaveFile", "Description", "Trace", "TraceFile", "UID", "PWD"};

// sqliteodbc 0.99.
// clang-format off: tables, several names a line
constexpr std::string_view kSqlite[] = {"Database", "StepAPI", "NoTXN",     "Timeout",    "ShortNames",  "LongNames",
                                        "NoCreat",  "NoWCHAR", "FKSupport", "SyncPragma", "JournalMode", "OEMCP",
                                        "BigInt",   "JDConv",  "ILike",     "LoadExt"};

// psqlODBC 9 to 16; its abbreviations of two characters are known by their form.
constexpr std::string_view kPostgresql[] = {"Server",
                                            "Servername",
                                            "Port",
                                            "Database",
                                            "Username",
                                            "Password",
                                            "SSLmode",
                                            "ReadOnly",
                                            "Protocol",
                                            "FakeOidIndex",
                                            "ShowOidColumn",
                                            "RowVersioning",
                                            "ShowSystemTables",
                                            "ConnSettings",
                                            "Fetch",
                                            "Socket",
                                            "UnknownSizes",
                                            "MaxVarcharSize",
                                            "MaxLongVarcharSize",
                                            "Debug",
                                            "CommLog",
                                            "Optimizer",
                                            "Ksqo",
                                            "UseDeclareFetch",
                                            "TextAsLongVarchar",
                                            "UnknownsAsLongVarchar",
                                            "BoolsAsChar",
                                            "Parse",
                                            "CancelAsFreeStmt",
                                            "ExtraSysTablePrefixes",
                                            "TranslationName",
                                            "TranslationDLL",
                                            "TranslationOption",
                                            "DisallowPremature",
                                            "UpdatableCursors",
                                            "LFConversion",
                                            "TrueIsMinus1",
                                            "Int8As",
                                            "ByteaAsLongVarBinary",
                                            "UseServerSidePrepare",
                                            "LowerCaseIdentifier",
                                            "GssAuthUseGSS",
                                            "XaOpt",
                                            "PreferLibpq",
                                            "pqopt",
                                            "KeepaliveTime",
                                            "KeepaliveInterval",
                                            "NumericAs",
                                            "OptionalErrors",
                                            "IgnoreTimeout",
                                            "FetchRefcursors",
                                            "BatchSize",
                                            "UniqueIndex",
                                            "Logdir",
                                            "DtcLog",
                                            "Lie"};

struct Alias {
  std::string_view name, meant;
};
// What other clients of these databases call it.
constexpr Alias kAliases[] = {{"host", "Server"},   {"hostname", "Server"},   {"address", "Server"}, {"user", "UID"},
                              {"login", "UID"},     {"dbname", "Database"},   {"db", "Database"},    {"file", "Database"},
                              {"path", "Database"}, {"filename", "Database"}, {"pass", "PWD"},       {"passwd", "PWD"},
                              {"tls", "SSLmode"}};
// clang-format on

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool is_abbreviation(const std::string& key) {
  if (key.size() != 2 || key[0] < 'a' || key[0] > 'd') return false;
  return (key[1] >= '0' && key[1] <= '9') || (key[1] >= 'a' && key[1] <= 'f') || key == "bi" || key == "cx";
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string advice(const std::string& key, std::span<const std::string_view> known) {
  std::vector<std::string_view> names(std::begin(kManager), std::end(kManager));
  names.insert(names.end(), known.begin(), known.end());
  std::string_view near;
  std::size_t best = std::max<std::size_t>(1, key.size() / 3) + 1;
  for (const std::string_view name : names) {
    if (const std::size_t steps = distance(key, lower(name)); steps < best) {
      best = steps;
      near = name;
    }
  }
  for (const Alias& alias : kAliases) {
    if (alias.name == key && std::find(names.begin(), names.end(), alias.meant) != names.end()) near = alias.meant;
  }
  return near.empty() ? "see the driver's documentation for its keys" : "did you mean \"" + std::string(near) + "\"?";
}

}  // namespace

Status check_driver_keys(const ConnectionSettings& settings) {
  const sql::Product product = guess_product(settings);
  const bool postgresql = product == sql::Product::kPostgresql;
  if (settings.has("DSN") || settings.has("FileDSN") || (!postgresql && product != sql::Product::kSqlite)) return {};
  const std::span<const std::string_view> known =
      postgresql ? std::span<const std::string_view>(kPostgresql) : std::span<const std::string_view>(kSqlite);
  for (const auto& [given, value] : settings.pairs) {
    const std::string key = lower(given);
    const auto is_it = [&](std::string_view name) { return lower(name) == key; };
    if (std::any_of(std::begin(kManager), std::end(kManager), is_it) || std::any_of(known.begin(), known.end(), is_it)) continue;
    if (postgresql && is_abbreviation(key)) continue;
    const std::string whose = postgresql ? "PostgreSQL's" : "SQLite's";
    return Status::bad_config("connection." + given,
                              whose + " ODBC driver has no key \"" + given + "\", and would pass over it without a word",
                              advice(key, known));
  }
  return {};
}

}  // namespace cdcrt::odbc
