// The host's own tables: their columns are known without the catalog, and few statements write them. Pure text.
#pragma once

#include <string>
#include <vector>

#include "catalog.hpp"
#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "redshift_ddl.hpp"
#include "redshift_statements.hpp"

namespace cdcrt::redshift {

/// Rows of one UPDATE; more are deleted and inserted.
constexpr uint64_t kMaxUpdated = 32;
/// About as many bytes of one statement, its last row apart.
constexpr uint64_t kHostStatementBytes = 1U << 20;
/// What the first `count` cells take as constants, about.
uint64_t constant_bytes(const cdcrt_cell* cells, uint32_t count);

bool is_of_host(const cdcrt_column* columns, uint32_t count);
/// With the types that they have here: names of tables and topics are short. The result borrows from `columns`.
std::vector<cdcrt_column> host_columns(const cdcrt_column* columns, uint32_t count);
/// As such a table was made here. One of an older version may have shorter texts.
CatalogTable host_catalog(const cdcrt_column* columns, uint32_t count, const sql::redshift::Names& names);

/// Condition for the rows [first, last) of `cells`, whose keys are the first `key_count` columns of the shape. What all have in common is
/// said once, and alternatives are nested as little as can be.
sdk::Status append_host_condition(std::string& out, const sql::redshift::StageShape& shape, const cdcrt_cell* cells, uint64_t stride,
                                  uint32_t key_count, uint64_t first, uint64_t last);
/// UPDATE of these rows where they are there; empty: there is nothing but keys.
sdk::Status append_host_update(std::string& out, const sql::redshift::StageShape& shape, const cdcrt_cell* cells, uint64_t rows,
                               uint32_t key_count);

/// One SELECT of a UNION ALL: the number of the read, then so many texts, then so many VARBYTEs, NULL where it has fewer.
struct JoinedRead {
  std::string select;               ///< without its condition
  std::vector<std::size_t> places;  ///< of the read's columns within the answer
};
JoinedRead join_read(const sql::redshift::StageShape& shape, std::size_t number, std::size_t texts, std::size_t bytes);
/// How many columns of the shape are VARBYTE.
std::size_t byte_columns(const sql::redshift::StageShape& shape);

}  // namespace cdcrt::redshift
