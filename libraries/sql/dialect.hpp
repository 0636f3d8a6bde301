// Dialect: the statements of one kind of database. Pure text; who executes them binds the parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "sql/statement.hpp"
#include "sql/type_mapping.hpp"

namespace cdcrt::sql {

/// Stateless, may be used from any thread.
class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Bytes that a name may have; 0: any.
  [[nodiscard]] virtual std::size_t name_limit() const = 0;
  [[nodiscard]] virtual bool has_schemas() const = 0;
  [[nodiscard]] virtual const TypeMapping& types() const = 0;
  /// The nearest logical type of a type name of the catalog; UNKNOWN where there is none.
  [[nodiscard]] virtual cdcrt_type logical_type(std::string_view raw) const = 0;
  /// Constant of a column's default. The default's cell is set.
  virtual sdk::Status append_default(std::string& out, const cdcrt_column& column) const = 0;
  /// What carries out one write, in order. PATCH: the first statement's row count tells how many rows matched.
  [[nodiscard]] virtual std::vector<Statement> write_statements(cdcrt_write_kind kind, const StatementShape& shape) const = 0;
  /// Rows by key (the first `key_count` columns), or all rows. One row's keys or a set of them: as write_statements does.
  [[nodiscard]] virtual Statement read_statement(const StatementShape& shape, uint32_t key_count, cdcrt_lock lock) const = 0;
  /// PATCH: the positions (1-based) of rows that match nothing. Empty text: the dialect writes row by row.
  [[nodiscard]] virtual Statement missing_statement(const StatementShape& shape) const = 0;
  /// After a write that changed fewer rows than it was given: answers a row where the table does not hold one as it was sent; `patch`: of
  /// those that it has. sqlite, of one row: where the table does hold it.
  [[nodiscard]] virtual Statement unwritten_statement(const StatementShape& shape, bool patch) const = 0;
  /// Answers a row for each row of these keys that the table has.
  [[nodiscard]] virtual Statement remaining_statement(const StatementShape& shape) const = 0;

  /// Quoted name, with schema where given and known to the dialect.
  sdk::Status append_table(std::string& out, const cdcrt_table& table) const;
  sdk::Status append_column(std::string& out, std::string_view name) const;
  /// `column.target_type` when given, else from the type.
  [[nodiscard]] std::string column_type(const cdcrt_column& column) const;
  sdk::Status create_table(std::string& out, const cdcrt_table& table, const cdcrt_column* columns, uint32_t count) const;
  sdk::Status add_column(std::string& out, const cdcrt_table& table, const cdcrt_column& column, bool if_not_exists) const;
  sdk::Status drop_column(std::string& out, const cdcrt_table& table, std::string_view column, bool if_exists) const;
  /// `merges`: there is a column of the new name; its values, where it has any, become the renamed one's, and it goes.
  sdk::Status rename_column(std::vector<std::string>& out, const cdcrt_table& table, std::string_view former, std::string_view name,
                            bool merges) const;

 protected:
  [[nodiscard]] virtual std::string key_column_type(const cdcrt_column& column, bool only_key) const;
  [[nodiscard]] sdk::Status append_definition(std::string& out, const cdcrt_column& column, bool only_key) const;
};

}  // namespace cdcrt::sql
