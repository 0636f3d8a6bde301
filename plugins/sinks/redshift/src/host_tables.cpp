#include "host_tables.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "redshift_literal.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"

namespace cdcrt::redshift {

using sdk::Status;
using sql::redshift::StageColumn;
using sql::redshift::StageShape;
using sql::redshift::Storage;

namespace {

constexpr std::string_view kNameType = "VARCHAR(512)";

bool is_same(const cdcrt_cell& left, const cdcrt_cell& right) {
  if (left.tag != right.tag) return false;
  if (left.tag <= CDCRT_NULL) return true;
  return sql::has_bytes(left) ? sql::bytes_of(left) == sql::bytes_of(right) : left.value.integer == right.value.integer;
}

Status append_same(std::string& out, const StageColumn& column, const cdcrt_cell& cell) {
  out += column.name + " = ";
  Status status = sql::redshift::append_cell(out, cell, column.type, column.name);
  // Texts that differ by blanks at their end are equal to `=`.
  if (column.type.storage == Storage::kText && sql::has_bytes(cell))
    out += " AND OCTET_LENGTH(" + column.name + ") = " + std::to_string(cell.size);
  return status;
}

class Condition {
 public:
  Condition(std::string& out, const StageShape& shape, const cdcrt_cell* cells, uint64_t stride, uint32_t key_count)
      : out_(out), shape_(shape), cells_(cells), stride_(stride), differs_(key_count) {}

  Status write(uint64_t first, uint64_t last) {
    bool any = false;
    Status status;
    for (uint32_t key = 0; key < differs_.size() && status; ++key) {
      for (uint64_t row = first + 1; row < last && !differs_[key]; ++row) differs_[key] = !is_same(cell(row, key), cell(first, key));
      if (differs_[key]) continue;
      if (std::exchange(any, true)) out_ += " AND ";
      status = append_same(out_, shape_.columns[key], cell(first, key));
    }
    if (std::none_of(differs_.begin(), differs_.end(), [](bool differs) { return differs; })) return status;
    if (any) out_ += " AND ";
    if (!status) return status;
    if (last - first > kFewRows && find_lists(first, last)) return write_lists();
    return alternatives(first, last);
  }

 private:
  [[nodiscard]] const cdcrt_cell& cell(uint64_t row, uint32_t key) const { return cells_[row * stride_ + key]; }

  /// Of many rows: lists of what one column holds, one list for each combination of the others. False: there would be nearly as many lists
  /// as rows.
  bool find_lists(uint64_t first, uint64_t last) {
    std::size_t most = 0;
    for (uint32_t key = 0; key < differs_.size(); ++key) {
      if (!differs_[key] || shape_.columns[key].type.storage == Storage::kBytes) continue;
      std::set<std::string> values;
      for (uint64_t row = first; row < last; ++row) values.insert(text_of(cell(row, key)));
      if (values.size() > most) most = values.size(), listed_ = key;
    }
    if (most == 0) return false;
    for (uint64_t row = first; row < last; ++row) {
      std::string others;
      for (uint32_t key = 0; key < differs_.size(); ++key) {
        if (differs_[key] && key != listed_) others += text_of(cell(row, key)) + '\0';
      }
      const cdcrt_cell& value = cell(row, listed_);
      if (value.tag <= CDCRT_NULL) return false;
      lists_[{others, sql::has_bytes(value) ? value.size : 0}].push_back(row);
    }
    return lists_.size() <= (last - first) / 4;
  }

  // Texts that differ by blanks at their end are equal to IN, unless they are of one length.
  Status write_lists() {
    const StageColumn& listed = shape_.columns[listed_];
    Status status;
    out_ += '(';
    for (bool any = false; const auto& [which, rows] : lists_) {
      out_ += std::exchange(any, true) ? " OR (" : "(";
      for (uint32_t key = 0; key < differs_.size() && status; ++key) {
        if (!differs_[key] || key == listed_) continue;
        status = append_same(out_, shape_.columns[key], cell(rows.front(), key));
        out_ += " AND ";
      }
      if (sql::has_bytes(cell(rows.front(), listed_)))
        out_ += "OCTET_LENGTH(" + listed.name + ") = " + std::to_string(which.second) + " AND ";
      out_ += listed.name + " IN (";
      for (std::size_t i = 0; i < rows.size() && status; ++i) {
        if (i > 0) out_ += ", ";
        status = sql::redshift::append_cell(out_, cell(rows[i], listed_), listed.type, listed.name);
      }
      out_ += "))";
    }
    out_ += ')';
    return status;
  }

  static std::string text_of(const cdcrt_cell& cell) {
    if (sql::has_bytes(cell)) return std::string(sql::bytes_of(cell));
    return cell.tag <= CDCRT_NULL ? std::string() : std::to_string(cell.value.integer);
  }

  Status alternatives(uint64_t first, uint64_t last) {
    Status status;
    out_ += '(';
    if (last - first == 1) {
      bool any = false;
      for (uint32_t key = 0; key < differs_.size() && status; ++key) {
        if (!differs_[key]) continue;
        if (std::exchange(any, true)) out_ += " AND ";
        status = append_same(out_, shape_.columns[key], cell(first, key));
      }
    } else {
      const uint64_t middle = first + (last - first) / 2;
      status = alternatives(first, middle);
      out_ += " OR ";
      if (status) status = alternatives(middle, last);
    }
    out_ += ')';
    return status;
  }

  std::string& out_;
  const StageShape& shape_;
  const cdcrt_cell* cells_;
  const uint64_t stride_;
  static constexpr uint64_t kFewRows = 8;
  std::vector<bool> differs_;  ///< by key column
  uint32_t listed_ = 0;
  std::map<std::pair<std::string, uint32_t>, std::vector<uint64_t>>
      lists_;  ///< rows, by the other columns and the length of the listed one
};

}  // namespace

bool is_of_host(const cdcrt_column* columns, uint32_t count) { return count > 0 && (columns[0].flags & CDCRT_COLUMN_OF_HOST) != 0; }

std::vector<cdcrt_column> host_columns(const cdcrt_column* columns, uint32_t count) {
  std::vector<cdcrt_column> typed(columns, columns + count);
  for (cdcrt_column& column : typed) {
    if (column.key_ordinal > 0 && column.type.kind == CDCRT_TYPE_STRING)
      column.target_type = {kNameType.data(), static_cast<uint32_t>(kNameType.size())};
  }
  return typed;
}

CatalogTable host_catalog(const cdcrt_column* columns, uint32_t count, const sql::redshift::Names& names) {
  CatalogTable catalog;
  catalog.exists = true;
  for (const cdcrt_column& column : host_columns(columns, count)) {
    CatalogColumn& made = catalog.columns.emplace_back();
    made.name = sql::redshift::folded(sdk::view(column.name), names.case_sensitive);
    made.type = sql::redshift::written_type(sql::redshift::column_type(column, names));
    made.not_null = column.key_ordinal > 0;
  }
  return catalog;
}

uint64_t constant_bytes(const cdcrt_cell* cells, uint32_t count) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) bytes += 64 + (sql::has_bytes(cells[i]) ? 2 * uint64_t{cells[i].size} : 0);
  return bytes;
}

Status append_host_condition(std::string& out, const StageShape& shape, const cdcrt_cell* cells, uint64_t stride, uint32_t key_count,
                             uint64_t first, uint64_t last) {
  return Condition(out, shape, cells, stride, key_count).write(first, last);
}

Status append_host_update(std::string& out, const StageShape& shape, const cdcrt_cell* cells, uint64_t rows, uint32_t key_count) {
  const uint64_t stride = shape.columns.size();
  if (stride == key_count) return {};
  out += "UPDATE " + shape.table + " SET ";
  Status status;
  for (uint32_t column = key_count; column < stride && status; ++column) {
    const StageColumn& set = shape.columns[column];
    out += (column == key_count ? "" : ", ") + set.name + " = ";
    bool differs = false;
    for (uint64_t row = 1; row < rows && !differs; ++row) differs = !is_same(cells[row * stride + column], cells[column]);
    if (!differs) {
      status = sql::redshift::append_cell(out, cells[column], set.type, set.name);
      continue;
    }
    out += "CASE";
    for (uint64_t row = 0; row < rows && status; ++row) {
      out += " WHEN ";
      status = append_host_condition(out, shape, cells, stride, key_count, row, row + 1);
      out += " THEN ";
      if (status) status = sql::redshift::append_cell(out, cells[row * stride + column], set.type, set.name);
    }
    out += " END";
  }
  out += " WHERE ";
  return status ? append_host_condition(out, shape, cells, stride, key_count, 0, rows) : std::move(status);
}

std::size_t byte_columns(const StageShape& shape) {
  return static_cast<std::size_t>(std::count_if(shape.columns.begin(), shape.columns.end(),
                                                [](const StageColumn& column) { return column.type.storage == Storage::kBytes; }));
}

JoinedRead join_read(const StageShape& shape, std::size_t number, std::size_t texts, std::size_t bytes) {
  JoinedRead joined;
  std::vector<std::string> as_text, as_bytes;
  for (const StageColumn& column : shape.columns) {
    if (column.type.storage == Storage::kBytes) {
      joined.places.push_back(1 + texts + as_bytes.size());
      as_bytes.push_back(column.name);
    } else {
      joined.places.push_back(1 + as_text.size());
      as_text.push_back(column.type.storage == Storage::kText ? column.name : "CAST(" + column.name + " AS VARCHAR(64))");
    }
  }
  as_text.resize(texts, "CAST(NULL AS VARCHAR(1))");
  as_bytes.resize(bytes, "CAST(NULL AS VARBYTE(1))");
  joined.select = "SELECT " + std::to_string(number);
  for (const auto& columns : {as_text, as_bytes}) {
    for (const std::string& column : columns) joined.select += ", " + column;
  }
  joined.select += " FROM " + shape.table;
  return joined;
}

}  // namespace cdcrt::redshift
