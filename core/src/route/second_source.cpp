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

bool are_same(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  return std::is_permutation(one.begin(), one.end(), other.begin(), other.end());
}

std::string described(const ManifestKey& key) {
  if (key.columns.empty()) return "none by the manifest";
  std::string names;
  for (const auto& column : key.columns) names += (names.empty() ? "" : ", ") + column;
  return "(" + names + "), by " + key.told_by;
}

}  // namespace

std::optional<Error> refuse_other_key(const Route& first_route, const std::string& first, const Route& route, const std::string& table,
                                      const std::string& target, const std::vector<std::string>& told) {
  if (route.mode == Mode::kAppend || first_route.mode == Mode::kAppend) return std::nullopt;
  const ManifestKey known = key_of(first_route, !told.empty());
  ManifestKey other = key_of(route, !told.empty());
  // What the first table's events tell is compared with what they tell here when it is observed.
  if (known.columns.empty() && (other.columns.empty() || are_same(other.columns, told))) return std::nullopt;
  if (other.columns.empty() && !told.empty()) other = {told, "its events"};
  if (are_same(known.columns, other.columns)) return std::nullopt;
  return make_error(CDCRT_BAD_CONFIG,
                    "source tables \"" + first + "\" and \"" + table + "\" meet in target table \"" + target +
                        "\", and their keys differ: " + described(known) + "; and " + described(other),
                    "give both the same key, or the second a `table` of its own, and start cdcrt again");
}

}  // namespace cdcrt::route
