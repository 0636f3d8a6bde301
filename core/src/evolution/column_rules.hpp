// Rules of columns: which one of a route speaks of a source column, what a column becomes when its type changes.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "event/shape.hpp"
#include "evolution/column.hpp"
#include "route/settings.hpp"

namespace cdcrt::evolution {

/// A rule for one column by its name, and whether an event had that column.
struct RuleUse {
  const route::ColumnRule* rule;
  bool met;
};

/// The most specific rule of the route for the column (exact name, then globs by most literal characters); a default one when none
/// matches.
route::ColumnRule rule_for(const route::Route& route, std::string_view column);
/// The same for one that had other names: a rule for one of them holds on, unless one names it by that which it has.
route::ColumnRule rule_of(const route::Route& route, const Column& column);

/// A definition that names columns without types, as Debezium's topic of schema changes does: such ones are read in their order.
bool is_names_alone(const event::Shape& definition);

/// The type of a column after `older` was followed by `newer` at the source. A float stays one when integers follow: the source converted.
cdcrt_type followed_type(cdcrt_type older, cdcrt_type newer);

}  // namespace cdcrt::evolution
