// Whether a target takes rows at all: if it does, a refused write is the fault of that one table.
#pragma once

#include <string>

#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Makes a table beside those that cdcrt keeps its progress in, writes a row into it, and takes both back.
Result<void> try_row(plugin::Connection& connection, bool has_schemas, const std::string& progress_schema);

}  // namespace cdcrt::apply
