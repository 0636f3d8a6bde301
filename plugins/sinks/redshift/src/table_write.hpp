// TableWrite: one group of rows of one table, carried out by statements on sets.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog.hpp"
#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "odbc/row_groups.hpp"
#include "sql/redshift_statements.hpp"
#include "stage_loader.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

/// A text column that must grow before a value fits.
struct Widening {
  std::string table, column;       ///< quoted
  std::string schema, table_name, column_name;  ///< as the catalog has them
  std::string shown;               ///< for messages: "s"."t"."c"
  sql::redshift::ColumnType type;  ///< as it is
  uint32_t bytes = 0;              ///< as it is to be
};

/// Quoted names of what a write touches. STALE_SCHEMA where the catalog lacks a column; BAD_CONFIG where two names are one.
sdk::Status make_shape(TargetSession& session, const cdcrt_table& table, const CatalogTable& catalog, const cdcrt_column* columns,
                       const std::vector<uint32_t>& chosen, sql::redshift::StageShape& shape);

/// `"k" IN (...)` or `("k1" = .. AND "k2" = ..) OR ...` of rows [first, last). `keys`: columns of the rows, row-major with `stride`.
sdk::Status append_key_condition(std::string& out, const sql::redshift::StageShape& shape, const cdcrt_column* columns,
                                 const std::vector<uint32_t>& keys, const cdcrt_cell* cells, uint64_t stride,
                                 const std::vector<uint64_t>& rows);

/// One call per group; one thread.
class TableWrite {
 public:
  TableWrite(TargetSession& session, StageLoader& loader, const cdcrt_write& write, const odbc::RowGroup& group,
             const CatalogTable& catalog, std::string what)
      : session_(session), loader_(loader), write_(write), group_(group), catalog_(catalog), what_(std::move(what)) {}

  /// Looks at every value, touches nothing in the target. What its column can never hold is cut or made NULL where the column allows
  /// that, else BAD_RECORD. Columns that must grow first are added to `out`; `stays`: those that cannot, by the name that is shown.
  sdk::Status check(const std::function<bool(const std::string& shown)>& stays, std::vector<Widening>& out);
  /// After check() found nothing to widen. Within a transaction.
  sdk::Status run(uint64_t stage_number);
  [[nodiscard]] const RefusedCopy& refused() const { return refused_; }

 private:
  [[nodiscard]] uint64_t rows() const { return group_.every_row ? write_.row_count : group_.rows.size(); }
  [[nodiscard]] bool covers_table() const { return shape_.others.empty(); }
  bool fit(uint64_t place, const cdcrt_column& column, uint64_t most);
  sdk::Status run_kind(uint64_t stage_number);
  sdk::Status append_rows();
  sdk::Status in_place();
  sdk::Status through_stage(uint64_t stage_number);
  sdk::Status remove_copies(uint64_t stage_number);
  sdk::Status still_covers_table();
  sdk::Status report_missing(const std::string& select, uint64_t& count);
  sdk::Status execute(const std::string& text, int64_t* changed = nullptr) {
    return session_.execute(text, what_, sql::Moment::kStatement, changed);
  }

  TargetSession& session_;
  StageLoader& loader_;
  cdcrt_write write_;
  const odbc::RowGroup& group_;
  const CatalogTable& catalog_;
  const std::string what_;
  sql::redshift::StageShape shape_;
  uint64_t text_bytes_ = 0;
  std::vector<cdcrt_cell> fitted_;  ///< the write's cells, where some had to be changed
  uint64_t overflowed_ = 0;
  RefusedCopy refused_;
};

}  // namespace cdcrt::redshift
