// Which rule of a route speaks of a source column.
#pragma once

#include <string>
#include <string_view>

#include "route/settings.hpp"

namespace cdcrt::evolution {

/// The most specific rule of the route for the column (exact name, then globs by most literal characters); a default one when none
/// matches.
route::ColumnRule rule_for(const route::Route& route, std::string_view column);

/// What a column is called while another one has its name: as of `until`, from where on it was not seen. No source has columns of such
/// names.
std::string set_aside_name(const std::string& name, std::string_view until);

}  // namespace cdcrt::evolution
