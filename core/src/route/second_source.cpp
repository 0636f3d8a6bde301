#include "route/second_source.hpp"

namespace cdcrt::route {

std::optional<Error> refuse_second_source(const Route& route, const SourceName& first, const SourceTable& table, const std::string& target,
                                          const std::string& sink, bool target_has_schemas) {
  if (route.names_target || first.name.empty()) return std::nullopt;
  const bool other_server = !first.server.empty() && !table.server.empty() && first.server != table.server;
  if (first.name == dotted(table) && !other_server) return std::nullopt;
  return tables_meet(first, table, target, sink, target_has_schemas);
}

}  // namespace cdcrt::route
