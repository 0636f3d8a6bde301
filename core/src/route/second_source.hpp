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

}  // namespace cdcrt::route
