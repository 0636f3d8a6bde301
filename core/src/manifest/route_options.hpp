// Keys of routes and their columns as option tables: what they are by default, what they may be, what they mean.
#pragma once

#include <span>

#include "cdcrt/abi/base.h"
#include "manifest/option_reader.hpp"

namespace cdcrt::manifest {

/// Of [defaults] and [routes.NAME].
std::span<const cdcrt_option> route_options();
/// Of [routes.NAME] alone: which tables it takes.
std::span<const cdcrt_option> pattern_options();
/// Of an entry of [routes.NAME.columns].
std::span<const cdcrt_option> column_options();
/// Values of route_options() that a later version will have.
std::span<const LaterValue> later_route_values();

}  // namespace cdcrt::manifest
