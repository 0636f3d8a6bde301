// TableWrite: the rows of one write, carried out by statements on sets.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog.hpp"
#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "redshift_comparison.hpp"
#include "redshift_statements.hpp"
#include "sql/postgresql_limit.hpp"
#include "sql/write_columns.hpp"
#include "stage_loader.hpp"
#include "stages.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

/// A text column that must grow before a value fits.
struct Widening {
  std::string table, column;                    ///< quoted
  std::string schema, table_name, column_name;  ///< as the catalog has them
  std::string shown;                            ///< for messages: "s"."t"."c"
  sql::redshift::ColumnType type;               ///< as it is
  uint32_t bytes = 0;                           ///< as it is to be
};

/// "cdcrt_row", unless the table has such a column.
std::string free_name(const CatalogTable& catalog, std::string name);

/// Quoted names of what a write touches. STALE_SCHEMA where the catalog lacks a column; BAD_CONFIG where two names are one.
sdk::Status make_shape(TargetSession& session, const cdcrt_table& table, const CatalogTable& catalog, const cdcrt_column* columns,
                       const std::vector<uint32_t>& chosen, sql::redshift::StageShape& shape);

/// The key of a write or of a read. `cells`: columns of the rows, row-major with `stride`; `keys`: which of them.
sql::redshift::KeySet make_key_set(const sql::redshift::StageShape& shape, const cdcrt_column* columns, const std::vector<uint32_t>& keys,
                                   const cdcrt_cell* cells, uint64_t stride);

/// What a transaction has to see to before it commits.
struct TransactionNotes {
  /// Tables whose rows were deleted to be inserted anew: so many columns they must still have, or a column that somebody added lost its
  /// values.
  std::map<std::pair<std::string, std::string>, std::size_t> columns;
};

/// One call per write; one thread. `columns`: those that statements name (sql::choose_columns).
class TableWrite {
 public:
  TableWrite(TargetSession& session, StageLoader& loader, const cdcrt_write& write, const std::vector<uint32_t>& columns,
             const CatalogTable& catalog, TransactionNotes& notes, Stages& stages, std::string what)
      : session_(session), loader_(loader), write_(write), columns_(columns), catalog_(catalog), notes_(notes), stages_(stages),
        what_(std::move(what)) {}

  /// Looks at every value, touches nothing in the target. What its column can never hold is cut or made NULL where the column allows
  /// that, else BAD_RECORD. Columns that must grow first are added to `out`; `stays`: those that cannot, by the name that is shown.
  sdk::Status check(const std::function<bool(const std::string& shown)>& stays, std::vector<Widening>& out);
  /// After check() found nothing to widen. Within a transaction. `is_empty`: nothing is in the table, so that nothing is to be replaced.
  sdk::Status run(uint64_t stage_number, bool is_empty = false);
  /// After check(): whether that would save it a staging table.
  [[nodiscard]] bool gains_by_emptiness() const { return brings_rows() && is_large(); }
  [[nodiscard]] const RefusedCopy& refused() const { return refused_; }
  /// After check(), for a table of the host's own: nobody else defines it, and few rows are updated where they are.
  sdk::Status run_of_host();

 private:
  [[nodiscard]] uint64_t rows() const { return write_.row_count; }
  [[nodiscard]] bool covers_table() const { return shape_.others.empty(); }
  [[nodiscard]] bool brings_rows() const { return write_.kind == CDCRT_WRITE_UPSERT || write_.kind == CDCRT_WRITE_REPLACE; }
  bool fit(uint64_t place, const cdcrt_column& column, uint64_t max_bytes);
  bool cut_fraction(uint64_t place, const cdcrt_column& column, const sql::ColumnLimit& limit);
  void replace(uint64_t place, const cdcrt_cell& cell);
  void put(uint64_t place, const cdcrt_cell& cell);
  sdk::Status check_value(uint64_t place, const cdcrt_column& column, const sql::redshift::StageColumn& target,
                          const sql::ColumnLimit& limit);
  /// Bytes of the row as COPY reads it, about; exact near the limit.
  uint64_t count_bytes(uint64_t first) const;
  sdk::Status run_kind(uint64_t stage_number, bool is_empty);
  sdk::Status append_rows();
  sdk::Status in_place();
  sdk::Status through_stage(uint64_t stage_number);
  sdk::Status find_stage(uint64_t stage_number);
  /// A value that goes by itself, not through the stage.
  struct WideValue {
    uint64_t row = 0;
    std::size_t column = 0;  ///< of the shape
    cdcrt_cell cell{};
  };
  std::vector<WideValue> take_wide_values();
  sdk::Status set_wide_values(const std::vector<WideValue>& wide);
  [[nodiscard]] sql::redshift::KeySet key_set() const;
  sdk::Status remove_copies(uint64_t stage_number);
  sdk::Status find_equals(const std::string& select, std::map<uint64_t, std::vector<uint64_t>>& sets);
  sdk::Status delete_rows_of_host();
  void note_deleted(int64_t rows);
  void must_still_cover();
  sdk::Status report_missing(const std::string& select, uint64_t& count);
  [[nodiscard]] bool is_large() const { return loader_.is_large(rows(), text_bytes_); }
  [[nodiscard]] Load load_into(std::string_view table, bool numbered, bool is_counted = false) const {
    return {write_, columns_, shape_, table, numbered, text_bytes_, needs_files_, table == shape_.stage, is_counted, what_};
  }
  sdk::Status execute(const std::string& text, int64_t* changed = nullptr) {
    return session_.execute(text, what_, sql::Moment::kStatement, changed);
  }

  TargetSession& session_;
  StageLoader& loader_;
  cdcrt_write write_;
  const std::vector<uint32_t>& columns_;
  const CatalogTable& catalog_;
  TransactionNotes& notes_;
  Stages& stages_;
  const std::string what_;
  sql::redshift::StageShape shape_;
  uint64_t text_bytes_ = 0;
  std::vector<cdcrt_cell> fitted_;  ///< the write's cells, where some had to be changed
  std::deque<std::string> texts_;   ///< of these
  uint64_t overflowed_ = 0;
  bool needs_files_ = false;  ///< a value is longer than a constant of a statement
  RefusedCopy refused_;
};

}  // namespace cdcrt::redshift
