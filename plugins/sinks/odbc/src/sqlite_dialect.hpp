// SQLite's statements and types.
#pragma once

#include "sql/dialect.hpp"

namespace cdcrt::sql {

const Dialect& sqlite();

}  // namespace cdcrt::sql
