// The columns of a statement that writes, as the catalog knows them.
#pragma once

#include <cstdint>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "postgresql/catalog.hpp"
#include "sql/dialect.hpp"

namespace cdcrt::postgresql {

/// Of `columns`, which are indexes into the write's, those that take values: what the table computes itself is left to it. UNSUPPORTED
/// where the route's key holds such a column.
sdk::Status leave_out_generated(const CatalogTable& catalog, const cdcrt_write& write, const std::vector<uint32_t>& columns,
                                std::vector<uint32_t>& out);

/// The shape of statements that write the `chosen` of `columns`, and the catalog's column of each, which `catalog` owns. Casts go to the
/// types that the catalog names, never to those that the host believes. STALE_SCHEMA where the catalog has no such column.
sdk::Status make_shape(const sql::Dialect& dialect, const CatalogTable& catalog, const cdcrt_table& table, const cdcrt_column* columns,
                       const std::vector<uint32_t>& chosen, sql::StatementShape& shape, std::vector<const CatalogColumn*>& found_columns);

/// BAD_RECORD for a key that the target's type takes for another one: to char(n) "a" and "a " are one.
sdk::Status check_key(const CatalogColumn& target, const cdcrt_column& column, const cdcrt_cell& cell);

/// A key column of the shape does not tell all texts apart.
bool has_inexact_key(const sql::StatementShape& shape);
/// BAD_RECORD: of two keys that are one to such a column.
sdk::Status same_to_the_target(const cdcrt_table& table, const sql::StatementShape& shape);

}  // namespace cdcrt::postgresql
