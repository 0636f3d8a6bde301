// Which rule of a route speaks of a source column.
#pragma once

#include <string_view>

#include "route/settings.hpp"

namespace cdcrt::evolution {

/// The most specific rule of the route for the column (exact name, then globs by most literal characters); a default one when none
/// matches.
route::ColumnRule rule_for(const route::Route& route, std::string_view column);

}  // namespace cdcrt::evolution
