// [routes.NAME.columns]: what a route says about columns.
#pragma once

#include <vector>

#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

/// Takes "columns" of a route's table. Problems are reported; rules that have some are left out.
std::vector<ColumnRule> read_columns(TableReader& route);

}  // namespace cdcrt::manifest
