// Whether a target that has the rows of one source table takes those of another one.
#pragma once

#include <optional>
#include <string>

#include "diagnostics/result.hpp"
#include "route/router.hpp"

namespace cdcrt::route {

/// Why rows of `table` may not be written into a target whose rows came from `first` so far (empty: not known); nullopt: they may.
std::optional<Error> refuse_second_source(const Route& route, const SourceName& first, const SourceTable& table, const std::string& target,
                                          const std::string& sink, bool target_has_schemas);

/// The same where both may meet there, and the manifest gives them keys that differ: by `primary_key` of their routes, or, for events that
/// do not tell their key (`tells_key`), by rules of `primary_keys`. `route` is that of `table`, `first_route` that of `first`.
std::optional<Error> refuse_other_key(const Route& first_route, const std::string& first, const Route& route, const std::string& table,
                                      const std::string& target, bool tells_key);

}  // namespace cdcrt::route
