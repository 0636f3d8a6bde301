// Whether a sink's user may make, alter and write tables: tried in a transaction that is taken back.
#pragma once

#include <string>

#include "diagnostics/result.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::cli {

/// Makes a table in `schema` (and the schema, where it is missing; "": the connection's default), alters it, writes rows, and rolls back.
/// `many`: as many rows as a sink sends through files, where it has them. What a sink keeps in spite of the rollback is dropped.
Result<void> try_schema(plugin::Connection& connection, const std::string& schema, bool many);

}  // namespace cdcrt::cli
