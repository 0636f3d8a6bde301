// Which rule of a route speaks of a source column.
#pragma once

#include <string_view>

#include "route/settings.hpp"

namespace cdcrt::evolution {

/// The most specific rule of the route for the column (exact name, then most literal characters); a default one when none matches.
route::ColumnRule rule_for(const route::Route& route, std::string_view column);

/// Glob with `*` (any characters) and `?` (one); everything else literal.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace cdcrt::evolution
