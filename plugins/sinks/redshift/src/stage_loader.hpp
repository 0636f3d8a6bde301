// StageLoader: rows into a table as a set: as files in S3 that COPY reads, or as constants of INSERT statements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/status.hpp"
#include "redshift_statements.hpp"
#include "settings.hpp"
#include "sql/write_columns.hpp"
#include "staged_files.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

/// Rows on their way into a table.
struct Load {
  const cdcrt_write& write;
  const std::vector<uint32_t>& columns;  ///< of the write, by index
  const sql::redshift::StageShape& shape;
  std::string_view into;     ///< quoted table
  bool numbered = false;     ///< `shape.row_number` comes first and takes the row's index in the write
  uint64_t text_bytes = 0;   ///< about as many, of all rows
  bool needs_files = false;  ///< a value is longer than a constant of a statement
  bool into_stage = false;   ///< of this session's own
  bool is_counted = false;   ///< by what follows: nobody need ask how many rows were loaded
  std::string_view what;     ///< for messages: "cannot upsert into table "s"."t""

  [[nodiscard]] uint64_t rows() const { return write.row_count; }
  /// What the column of numbers takes.
  [[nodiscard]] uint64_t number(uint64_t row) const { return shape.batch != 0 ? shape.batch : row; }
  [[nodiscard]] const cdcrt_cell* cells(uint64_t row) const { return write.cells + row * write.column_count; }
};

/// A COPY that was refused: which files it read, to ask what was wrong.
struct RefusedCopy {
  std::vector<std::string> urls;  ///< empty: no COPY was refused
};

/// One thread; belongs to a connection.
class StageLoader {
 public:
  StageLoader(const Settings& settings, TargetSession& session, StagingPlace& place, StagedFiles& files, sdk::Host host)
      : settings_(settings), session_(session), place_(place), files_(files), host_(std::move(host)) {}

  /// Whether so much is better staged: in S3, or at least in a table.
  [[nodiscard]] bool is_large(uint64_t rows, uint64_t bytes) const {
    return rows > settings_.copy_from_rows || bytes > settings_.copy_from_bytes;
  }
  /// Whether rows may go through S3.
  [[nodiscard]] bool uses_files() const { return settings_.staging.enabled; }
  /// Loads all rows, or fails and has spoiled the transaction. `refused` tells of a COPY that said no.
  sdk::Status load(const Load& load, RefusedCopy& refused);
  /// (constant, ...) of one row: for VALUES.
  sdk::Status append_values(std::string& out, const Load& load, uint64_t row);
  /// NUL characters that were left out of texts since this was asked last: Redshift holds none.
  uint64_t take_removed_nul() { return std::exchange(removed_nul_, 0); }
  /// Writes and loads one row, so that what the bucket, the role and the grants lack is known at the start. Leaves nothing.
  sdk::Status probe();

 private:
  sdk::Status probe_once();
  sdk::Status by_insert(const Load& load);
  sdk::Status by_copy(const Load& load, RefusedCopy& refused);
  struct Copy {
    std::string_view into, columns, null_text, what;
    bool into_stage = false, is_counted = false;
  };
  sdk::Status copy(const aws::StagedSet& set, const Copy& copy);
  [[nodiscard]] sdk::Status as_outage(sdk::Status status) const;
  uint32_t slices();

  const Settings& settings_;
  TargetSession& session_;
  StagingPlace& place_;
  StagedFiles& files_;
  sdk::Host host_;
  uint64_t removed_nul_ = 0;
};

}  // namespace cdcrt::redshift
