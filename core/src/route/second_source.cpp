#include "route/second_source.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace cdcrt::route {

std::optional<Error> refuse_second_source(const Route& route, const SourceName& first, const SourceTable& table, const std::string& target,
                                          const std::string& sink, bool target_has_schemas) {
  if (route.names_target || first.name.empty()) return std::nullopt;
  const bool other_server = !first.server.empty() && !table.server.empty() && first.server != table.server;
  if (first.name == dotted(table) && !other_server) return std::nullopt;
  return tables_meet(first, table, target, sink, target_has_schemas);
}

namespace {

struct ManifestKey {
  std::vector<std::string> columns;
  std::string told_by;
};

ManifestKey key_of(const Route& route, bool tells_key) {
  if (!route.primary_key.empty())
    return {route.primary_key, "primary_key of " + (route.name.empty() ? "[defaults]" : "[routes." + route.name + "]")};
  if (tells_key || route.fallback_key.empty()) return {};
  return {route.fallback_key, "the rule \"" + route.key_rule + "\" of primary_keys"};
}

std::string described(const ManifestKey& key) {
  if (key.columns.empty()) return "none";
  std::string names;
  for (const auto& column : key.columns) names += (names.empty() ? "" : ", ") + column;
  return "(" + names + "), by " + key.told_by;
}

}  // namespace

std::optional<Error> refuse_other_key(const Route& first_route, const std::string& first, const Route& route, const std::string& table,
                                      const std::string& target, bool tells_key) {
  if (route.mode == Mode::kAppend || first_route.mode == Mode::kAppend) return std::nullopt;
  const ManifestKey known = key_of(first_route, tells_key), other = key_of(route, tells_key);
  if (std::is_permutation(known.columns.begin(), known.columns.end(), other.columns.begin(), other.columns.end())) return std::nullopt;
  return make_error(CDCRT_BAD_CONFIG,
                    "source tables \"" + first + "\" and \"" + table + "\" meet in target table \"" + target +
                        "\", and the manifest gives them keys that differ: " + described(known) + "; and " + described(other),
                    "give both the same key, or the second a `table` of its own");
}

}  // namespace cdcrt::route
