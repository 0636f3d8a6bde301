// How a connection reads: the host's tables in one statement, others by their keys.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "host_tables.hpp"
#include "redshift_connection.hpp"
#include "redshift_literal.hpp"
#include "redshift_statements.hpp"
#include "sql/cell_text.hpp"
#include "sql/transaction_text.hpp"

namespace cdcrt::redshift {

using sdk::Status;

Status RedshiftConnection::read(const cdcrt_read& read) {
  Status status = usable();
  if (!status) return status;
  if (read.key_count > 0 && read.key_rows == 0) return {};
  const bool of_host = knows_host_columns_ && is_of_host(read.columns, read.column_count);
  status = of_host ? join_reads(&read, 1) : read_rows(read, sql::doing("read", read.table));
  return status ? Status() : failed(std::move(status));
}

Status RedshiftConnection::read_together(const cdcrt_read* reads, uint32_t count) {
  Status status = usable();
  if (!status) return status;
  const auto is_known = [&](const cdcrt_read& each) { return knows_host_columns_ && is_of_host(each.columns, each.column_count); };
  if (!std::all_of(reads, reads + count, is_known)) return sdk::SinkConnection::read_together(reads, count);
  status = join_reads(reads, count);
  return status ? Status() : failed(std::move(status));
}

Status RedshiftConnection::host_shape(const cdcrt_read& read, sql::redshift::StageShape& shape) {
  const CatalogTable* catalog = nullptr;
  Status status = known_table(read.table, read.columns, read.column_count, catalog);
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < read.column_count; ++i) all.push_back(i);
  return status ? make_shape(session_, read.table, *catalog, read.columns, all, shape) : std::move(status);
}

/// Where the keys of reads are too long for one statement.
Status RedshiftConnection::read_in_parts(const cdcrt_read* reads, uint32_t count) {
  Status status;
  for (uint32_t i = 0; i < count && status && count > 1; ++i) status = join_reads(&reads[i], 1);
  if (count > 1) return status;
  cdcrt_read first = reads[0], second = reads[0];
  first.key_rows = first.key_rows / 2;
  second.key_rows -= first.key_rows;
  second.keys += first.key_rows * first.key_count;
  status = join_reads(&first, 1);
  return status ? join_reads(&second, 1) : std::move(status);
}

/// Reads of the host's tables in one statement, one SELECT each.
Status RedshiftConnection::join_reads(const cdcrt_read* reads, uint32_t count) {
  constexpr uint64_t kMaxKeys = 500;  // of more, those that are wanted are picked out here
  uint64_t named = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (reads[i].key_rows <= kMaxKeys)
      named += constant_bytes(reads[i].keys, static_cast<uint32_t>(reads[i].key_rows) * reads[i].key_count);
  }
  if (named > 4 * kHostStatementBytes && (count > 1 || (reads[0].key_rows > 1 && reads[0].max_rows == 0)))
    return read_in_parts(reads, count);
  std::vector<sql::redshift::StageShape> shapes(count);
  std::vector<JoinedRead> joined(count);
  std::vector<std::set<std::string>> wanted(count);
  std::size_t texts = 0, bytes = 0;
  Status status;
  for (uint32_t i = 0; i < count && status; ++i) {
    status = host_shape(reads[i], shapes[i]);
    bytes = std::max(bytes, byte_columns(shapes[i]));
    texts = std::max(texts, shapes[i].columns.size() - byte_columns(shapes[i]));
  }
  const auto key_text = [](const cdcrt_cell* cells, uint32_t keys) {
    std::string text;
    for (uint32_t key = 0; key < keys; ++key) {
      sql::append_cell_text(text, cells[key], sdk::TextStyle::kIso8601);
      text += '\0';
    }
    return text;
  };
  std::string text;
  for (uint32_t i = 0; i < count && status; ++i) {
    const cdcrt_read& read = reads[i];
    joined[i] = join_read(shapes[i], i, texts, bytes);
    text += i > 0 ? " UNION ALL (" : count > 1 ? "(" : "";
    text += joined[i].select;
    const bool picks = read.key_rows > kMaxKeys;
    // Pipeline and sink come first in each of the host's keys.
    if (read.key_count > 0) {
      text += " WHERE ";
      status = append_host_condition(text, shapes[i], read.keys, read.key_count,
                                     picks ? std::min<uint32_t>(read.key_count, 2) : read.key_count, 0, picks ? 1 : read.key_rows);
    }
    for (uint64_t row = 0; picks && row < read.key_rows; ++row)
      wanted[i].insert(key_text(read.keys + row * read.key_count, read.key_count));
    if (read.max_rows > 0) text += " LIMIT " + std::to_string(read.max_rows);
    if (count > 1) text += ')';
  }
  if (!status) return status;
  std::vector<cdcrt_cell> cells;
  std::vector<std::string> buffers;
  std::vector<bool> stopped(count);
  const std::string what =
      count == 1 ? sql::doing("read", reads[0].table) : "cannot read " + std::to_string(count) + " of cdcrt's own tables";
  const auto take = [&](const std::vector<Field>& row) {
    const std::size_t number = row[0] ? std::strtoul(row[0]->c_str(), nullptr, 10) : count;
    if (number >= count || stopped[number]) return true;
    const cdcrt_read& read = reads[number];
    cells.assign(read.column_count, cdcrt_cell{CDCRT_NULL, 0, 0, 0, {0}});
    buffers.resize(std::max<std::size_t>(buffers.size(), read.column_count));
    for (uint32_t i = 0; i < read.column_count; ++i) {
      const Field& field = row[joined[number].places[i]];
      if (field) cells[i] = sql::redshift::from_text(*field, shapes[number].columns[i].type.storage, read.columns[i].type, buffers[i]);
    }
    if (!wanted[number].empty() && !wanted[number].contains(key_text(cells.data(), read.key_count))) return true;
    stopped[number] = read.visit(read.context, cells.data()) != 0;
    return true;
  };
  // Each new table is compared with all that are kept: once for all that are made in a transaction.
  if (last_read_.text == text) {
    for (const auto& row : last_read_.rows) take(row);
    return {};
  }
  last_read_ = LastRead();
  std::vector<std::vector<Field>> rows;
  const bool keeps = in_transaction_ && count == 1 && reads[0].key_count == 2 && reads[0].max_rows == 0;
  status = session_.select(text, 1 + texts + bytes, what, [&](const std::vector<Field>& row) {
    if (keeps) rows.push_back(row);
    return take(row);
  });
  if (status && keeps) last_read_ = {std::move(text), std::move(rows)};
  return status;
}

Status RedshiftConnection::read_rows(const cdcrt_read& read, const std::string& what) {
  const CatalogTable* catalog = nullptr;
  Status status = known_table(read.table, read.columns, read.column_count, catalog);
  if (!status) return status;
  std::vector<cdcrt_column> columns(read.columns, read.columns + read.column_count);
  std::vector<uint32_t> all, keys;
  for (uint32_t i = 0; i < read.column_count; ++i) {
    all.push_back(i);
    columns[i].key_ordinal = i < read.key_count ? i + 1 : 0;
    if (i < read.key_count) keys.push_back(i);
  }
  sql::redshift::StageShape shape;
  status = make_shape(session_, read.table, *catalog, columns.data(), all, shape);
  if (!status) return status;
  std::string head = "SELECT ";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (i > 0) head += ", ";
    head += sql::redshift::text_expression(shape.columns[i].name, shape.columns[i].type.storage);
  }
  head += " FROM " + shape.table;
  std::vector<cdcrt_cell> cells(read.column_count);
  std::vector<std::string> buffers(read.column_count);
  bool stopped = false;
  const auto visit = [&](const std::vector<Field>& row) {
    for (uint32_t i = 0; i < read.column_count; ++i) {
      cells[i] = row[i] ? sql::redshift::from_text(*row[i], shape.columns[i].type.storage, read.columns[i].type, buffers[i])
                        : cdcrt_cell{CDCRT_NULL, 0, 0, 0, {0}};
    }
    stopped = read.visit(read.context, cells.data()) != 0;
    return !stopped;
  };
  const std::string tail = read.max_rows > 0 ? " LIMIT " + std::to_string(read.max_rows) : std::string();
  if (read.key_count == 0) return session_.select(head + tail, read.column_count, what, visit);
  const auto set = make_key_set(shape, columns.data(), keys, read.keys, read.key_count);
  std::vector<uint64_t> rows;
  for (uint64_t row = 0; row < read.key_rows; ++row) rows.push_back(row);
  for (uint64_t first = 0, last = 0; first < read.key_rows && status && !stopped; first = last) {
    last = set.end_of(rows, first);
    std::string text = head + " WHERE ";
    status = append_key_condition(text, set, rows, first, last);
    if (status) status = session_.select(text + tail, read.column_count, what, visit);
  }
  return status;
}

}  // namespace cdcrt::redshift
