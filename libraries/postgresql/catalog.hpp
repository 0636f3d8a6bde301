// What PostgreSQL's catalog says about one table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "postgresql/binary_array.hpp"
#include "sql/postgresql_limit.hpp"
#include "sql/session.hpp"
#include "sql/statement.hpp"

namespace cdcrt::postgresql {

struct CatalogColumn {
  std::string name;
  std::string type;       ///< with its length: character varying(40)
  std::string base_type;  ///< of a domain, with its length; else as type
  std::string cast;       ///< without a length, ready to be pasted: a cast to it never cuts
  bool not_null = false;
  bool is_array = false;
  bool compare_as_text = false;
  bool inexact = false;                   ///< as a key: its equality, or that of an index, knows fewer values than there are
  bool generated = false;                 ///< computed by the table: it takes no value
  bool identity = false;                  ///< GENERATED ALWAYS AS IDENTITY: takes a value only where the statement insists
  sql::ColumnLimit limit;                 ///< what it would do to a value, or to an element, without a word
  std::string element;                    ///< of an array: the type of its elements, with its length; empty for anything else
  BinaryType binary = BinaryType::kNone;  ///< how values go to it in the binary form
  uint32_t type_number = 0;               ///< pg_type's oid
  uint32_t key_ordinal = 0;               ///< of the primary key, else of a unique index on not-null columns
};

struct CatalogTable {
  bool exists = false;
  bool is_view = false;
  bool takes_copies = false;  ///< COPY does with its rows what INSERT does: a table without rules and row security
  std::vector<CatalogColumn> columns;
};

/// `schema` and `table` as they are spelled in the catalog.
sdk::Status read_catalog(sql::Session& session, std::string_view schema, std::string_view table, CatalogTable& out);
/// The same by `question`, a query of catalog_question() that is kept: planning it takes the server longer than answering.
sdk::Status read_catalog(sql::Query& question, std::string_view schema, std::string_view table, CatalogTable& out);
const sql::Statement& catalog_question();

/// A SELECT of one boolean: whether the table still takes copies, `columns` have the types that read_catalog() told, and the columns `key`
/// are those of a unique index (none: it is not asked).
std::string same_table_question(std::string_view quoted_table, const std::vector<const CatalogColumn*>& columns,
                                const std::vector<std::string_view>& key);

bool operator==(const CatalogColumn& left, const CatalogColumn& right);

}  // namespace cdcrt::postgresql
