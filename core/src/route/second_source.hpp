// Whether a target that has the rows of one source table takes those of another one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "route/router.hpp"

namespace cdcrt::route {

/// Why rows of `table` may not be written into a target whose rows came from `first` so far (empty: not known); nullopt: they may.
std::optional<Error> refuse_second_source(const Route& route, const SourceName& first, const SourceTable& table, const std::string& target,
                                          const std::string& sink, bool target_has_schemas);

/// The same where both may meet there, and their keys differ: by `primary_key` of their routes, by rules of `primary_keys` for events that
/// do not tell theirs, by the events themselves. `route` is that of `table`, `first_route` that of `first`; `told`: the key that the
/// events of `table` tell; empty: they do not.
std::optional<Error> refuse_other_key(const Route& first_route, const std::string& first, const Route& route, const std::string& table,
                                      const std::string& target, const std::vector<std::string>& told);

}  // namespace cdcrt::route
