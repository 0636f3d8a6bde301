#include "redshift_comparison.hpp"

#include <algorithm>

#include "redshift_literal.hpp"
#include "redshift_value.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"

namespace cdcrt::sql::redshift {

using sdk::Status;

namespace {

bool keeps_blanks(const ColumnType& type) { return type.storage == Storage::kText && type.name.compare(0, 4, "CHAR") != 0; }

/// What stands for a value where it is compared.
std::string operand(std::string_view value, Storage storage) {
  return storage == Storage::kSuper ? "JSON_SERIALIZE_TO_VARBYTE(" + std::string(value) + ")" : std::string(value);
}

std::string neutral(Storage storage) {
  switch (storage) {
    case Storage::kBool: return "false";
    case Storage::kInteger:
    case Storage::kDecimal:
    case Storage::kFloat: return "0";
    case Storage::kDate: return "DATE '1970-01-01'";
    case Storage::kTime: return "TIME '00:00:00'";
    case Storage::kTimetz: return "TIMETZ '00:00:00+00'";
    case Storage::kTimestamp: return "TIMESTAMP '1970-01-01 00:00:00'";
    case Storage::kTimestamptz: return "TIMESTAMPTZ '1970-01-01 00:00:00+00'";
    case Storage::kBytes:
    case Storage::kSuper: return "TO_VARBYTE('00','hex')";
    default: return "''";
  }
}

uint64_t padded(uint64_t count) {
  uint64_t size = 1;
  while (size < count) size *= 2;
  return size;
}

class KeyCondition {
 public:
  KeyCondition(std::string& out, const KeySet& keys, const std::vector<uint64_t>& rows) : out_(out), keys_(keys), rows_(rows) {}

  void by_list(uint64_t first, uint64_t last) {
    const KeySet::Column& column = keys_.columns[0];
    // A text without a blank at its end is the only one that equals it and has none either.
    std::vector<uint64_t> listed, blank;
    for (uint64_t i = first; i < last; ++i)
      (keeps_blanks(column.type) && ends_blank(rows_[i], column) ? blank : listed).push_back(rows_[i]);
    const bool several = !listed.empty() && !blank.empty();
    if (several) out_ += '(';
    if (!listed.empty()) {
      out_ += operand(column.name, column.type.storage) + " IN (";
      for (uint64_t i = 0; i < padded(listed.size()) && status_; ++i) {
        if (i > 0) out_ += ", ";
        append_constant(listed[std::min<uint64_t>(i, listed.size() - 1)], column);
      }
      out_ += ')';
      if (keeps_blanks(column.type)) out_ += " AND OCTET_LENGTH(" + column.name + ") = OCTET_LENGTH(RTRIM(" + column.name + ", ' '))";
    }
    if (several) out_ += " OR ";
    if (!blank.empty()) by_alternatives(blank, 0, blank.size());
    if (several) out_ += ')';
  }

  void by_alternatives(const std::vector<uint64_t>& rows, uint64_t first, uint64_t last) {
    out_ += '(';
    for (uint64_t i = 0; i < padded(last - first) && status_; ++i) {
      if (i > 0) out_ += " OR ";
      const uint64_t row = rows[std::min(first + i, last - 1)];
      out_ += '(';
      for (std::size_t key = 0; key < keys_.columns.size() && status_; ++key) {
        const KeySet::Column& column = keys_.columns[key];
        if (key > 0) out_ += " AND ";
        out_ += operand(column.name, column.type.storage) + " = ";
        append_constant(row, column);
        if (keeps_blanks(column.type)) out_ += " AND OCTET_LENGTH(" + column.name + ") = " + std::to_string(text_of(row, column).size());
      }
      out_ += ')';
    }
    out_ += ')';
  }

  Status take_status() { return std::move(status_); }

 private:
  [[nodiscard]] const cdcrt_cell& cell(uint64_t row, const KeySet::Column& column) const {
    return keys_.cells[row * keys_.stride + column.cell];
  }
  std::string_view text_of(uint64_t row, const KeySet::Column& column) {
    return stored_value(cell(row, column), column.type.storage, buffer_).text;
  }
  bool ends_blank(uint64_t row, const KeySet::Column& column) {
    const std::string_view text = text_of(row, column);
    return !text.empty() && text.back() == ' ';
  }
  void append_constant(uint64_t row, const KeySet::Column& column) {
    std::string constant;
    status_ = append_cell(constant, cell(row, column), column.type, column.shown);
    out_ += operand(constant, column.type.storage);
  }

  std::string& out_;
  const KeySet& keys_;
  const std::vector<uint64_t>& rows_;
  std::string buffer_;
  Status status_;
};

bool is_same_cell(const cdcrt_cell& left, const cdcrt_cell& right) {
  if (left.tag != right.tag) return false;
  if (has_bytes(left)) return bytes_of(left) == bytes_of(right);
  return left.tag <= CDCRT_NULL || left.value.integer == right.value.integer;
}

}  // namespace

std::optional<std::size_t> KeySet::only_difference(const std::vector<uint64_t>& rows, uint64_t first, uint64_t last) const {
  if (columns.size() < 2 || last < first + 2) return std::nullopt;
  std::optional<std::size_t> only;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& cell = cells[rows[first] * stride + columns[i].cell];
    const auto is_other = [&](uint64_t row) { return !is_same_cell(cell, cells[row * stride + columns[i].cell]); };
    if (std::none_of(rows.begin() + static_cast<std::ptrdiff_t>(first) + 1, rows.begin() + static_cast<std::ptrdiff_t>(last), is_other))
      continue;
    if (only) return std::nullopt;
    only = i;
  }
  return only;
}

uint64_t KeySet::end_of(const std::vector<uint64_t>& rows, uint64_t first) const {
  constexpr uint64_t kMaxBytes = 4U << 20;  // of the 16 MB that a statement may have
  constexpr uint64_t kOfEach = 128;         // operators and lengths, and the constant of what is no text
  const auto bytes_of_row = [&](uint64_t row) {
    uint64_t bytes = 0;
    for (const Column& column : columns) {
      const cdcrt_cell& cell = cells[row * stride + column.cell];
      // A quote is written twice, and a byte as two digits.
      bytes += kOfEach + 2 * column.name.size() + (has_bytes(cell) ? 2 * uint64_t{cell.size} : 0);
    }
    return bytes;
  };
  uint64_t end = std::min<uint64_t>(rows.size(), first + kMaxListed);
  if (columns.size() > 1 && !only_difference(rows, first, end)) end = std::min<uint64_t>(end, first + kMaxAlternatives);
  uint64_t last = first, bytes = 0;
  while (last < end) {
    const uint64_t row = bytes_of_row(rows[last]);
    const uint64_t named = last + 1 - first;
    if (last > first && bytes + row * (padded(named) - named + 1) > kMaxBytes) break;
    bytes += row;
    ++last;
  }
  return last;
}

std::string same(std::string_view left, std::string_view right, const ColumnType& type) {
  std::string text = operand(left, type.storage) + " = " + operand(right, type.storage);
  if (keeps_blanks(type)) text += " AND OCTET_LENGTH(" + std::string(left) + ") = OCTET_LENGTH(" + std::string(right) + ")";
  return text;
}

std::string same_or_null(std::string_view left, std::string_view right, const ColumnType& type) {
  const std::string a(left), b(right), none = neutral(type.storage);
  const std::string text =
      "COALESCE(" + operand(a, type.storage) + ", " + none + ") = COALESCE(" + operand(b, type.storage) + ", " + none + ") AND ";
  // No text has a negative length.
  if (keeps_blanks(type)) return text + "COALESCE(OCTET_LENGTH(" + a + "), -1) = COALESCE(OCTET_LENGTH(" + b + "), -1)";
  return text + "CASE WHEN " + a + " IS NULL THEN 1 ELSE 0 END = CASE WHEN " + b + " IS NULL THEN 1 ELSE 0 END";
}

Status append_key_condition(std::string& out, const KeySet& keys, const std::vector<uint64_t>& rows, uint64_t first, uint64_t last) {
  if (const auto differing = keys.only_difference(rows, first, last)) {
    KeySet one = keys;
    one.columns = {keys.columns[*differing]};
    KeySet others = keys;
    others.columns.erase(others.columns.begin() + static_cast<std::ptrdiff_t>(*differing));
    Status status = append_key_condition(out, others, rows, first, first + 1);
    out += " AND ";
    return status ? append_key_condition(out, one, rows, first, last) : std::move(status);
  }
  KeyCondition condition(out, keys, rows);
  if (keys.columns.size() == 1) {
    condition.by_list(first, last);
  } else {
    condition.by_alternatives(rows, first, last);
  }
  return condition.take_status();
}

}  // namespace cdcrt::sql::redshift
