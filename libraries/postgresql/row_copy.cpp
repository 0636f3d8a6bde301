#include "postgresql/row_copy.hpp"

#include <algorithm>

#include "postgresql/statement_columns.hpp"
#include "postgresql/value.hpp"

namespace cdcrt::postgresql {

using sdk::Status;

namespace {

// Below it the round trips cost more than the rows.
constexpr uint64_t kMinRows = 250;
constexpr std::size_t kPiece = 64U << 10;

void append_count(std::string& out, std::size_t count) {
  out += static_cast<char>(count >> 8U);
  out += static_cast<char>(count & 0xFFU);
}

bool is_of_host(const cdcrt_column& column) { return (column.flags & CDCRT_COLUMN_OF_HOST) != 0; }

}  // namespace

bool RowCopy::suits(const cdcrt_write& write, const CatalogTable& table, const std::vector<const CatalogColumn*>& targets) {
  const auto is_key = [](const cdcrt_column& column) { return column.key_ordinal > 0; };
  const bool has_key = write.has_unique_key != 0 && std::any_of(write.columns, write.columns + write.column_count, is_key);
  const bool may_be_new = write.kind == CDCRT_WRITE_APPEND || (write.kind == CDCRT_WRITE_UPSERT && has_key);
  if (!may_be_new || !table.takes_copies || write.row_count < kMinRows || write.is_direct != 0) return false;
  if (std::any_of(write.columns, write.columns + write.column_count, is_of_host)) return false;
  return std::all_of(targets.begin(), targets.end(),
                     [](const CatalogColumn* target) { return !target->is_array && target->binary != BinaryType::kNone; });
}

// Other statements fail where somebody took the key away or changed a type, or say the type of what they bring. COPY would add rows that
// are there, or take the bytes for another type. Its lock keeps the answer true until the transaction ends.
std::string RowCopy::question(std::string_view quoted_table) const {
  std::vector<std::string_view> key;
  for (std::size_t i = 0; i < chosen_.size() && write_.kind != CDCRT_WRITE_APPEND; ++i) {
    if (write_.columns[chosen_[i]].key_ordinal > 0) key.push_back(targets_[i]->name);
  }
  return same_table_question(quoted_table, targets_, key);
}

Status RowCopy::run(sql::Session& session, const sql::StatementShape& shape, const std::string& what, bool& is_copied) {
  const std::string text = "SAVEPOINT cdcrt_copy; COPY " + shape.table + " (" + sql::joined_names(shape.columns) +
                           ") FROM STDIN (FORMAT binary); " + question(shape.table);
  int64_t rows = 0;
  std::string is_same;
  // What failed before is no failure of these rows, and there is no savepoint to go back to.
  if (Status status = session.settle(what); !status) return status;
  Status status = session.copy(
      text, [this](std::string& piece) { return next(piece); }, what, rows, is_same);
  // A trigger may have swallowed some.
  is_copied = status && rows == static_cast<int64_t>(write_.row_count) && is_same == "t";
  if (!status && (status.code() == CDCRT_RETRY || status.code() == CDCRT_BUSY || status.code() == CDCRT_UNREACHABLE)) return status;
  if (!is_copied) status = session.execute("ROLLBACK TO SAVEPOINT cdcrt_copy", sql::Moment::kStatement, what);
  return status ? session.begin("RELEASE SAVEPOINT cdcrt_copy", what) : std::move(status);
}

Status RowCopy::append_row(std::string& piece) {
  append_count(piece, chosen_.size());
  const cdcrt_cell* const cells = write_.cells + row_ * write_.column_count;
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    const cdcrt_column& column = write_.columns[chosen_[i]];
    cdcrt_cell cell = cells[chosen_[i]];
    Status status;
    if (column.key_ordinal > 0) status = check_key(*targets_[i], column, cell);
    if (status && cell.tag > CDCRT_NULL) status = to_native(*targets_[i], column, cell, native_, overflowed_);
    if (!status) return status;
    if (!append_binary(piece, targets_[i]->binary, cell, column, text_)) return Status::unsupported("a value has no binary form");
  }
  return {};
}

Status RowCopy::next(std::string& piece) {
  if (is_ended_) return {};
  if (!is_begun_) {
    // Signature, no flags, no more of a header.
    piece.append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    is_begun_ = true;
  }
  for (; row_ < write_.row_count && piece.size() < kPiece; ++row_) {
    if (Status status = append_row(piece); !status) return status;
  }
  if (row_ == write_.row_count) {
    append_count(piece, 0xFFFF);
    is_ended_ = true;
  }
  largest_ = std::max(largest_, piece.size());
  return {};
}

}  // namespace cdcrt::postgresql
