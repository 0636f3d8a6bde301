#include "table_write.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "host_tables.hpp"
#include "redshift_literal.hpp"
#include "redshift_value.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;
using sql::redshift::ColumnType;
using sql::redshift::StageColumn;
using sql::redshift::StageShape;
using sql::redshift::Storage;

namespace {

/// What COPY's ROUNDEC, an INSERT and the column's own type would do to a value without a word.
sql::ColumnLimit limit_of(const ColumnType& type) {
  using Kind = sql::ColumnLimit::Kind;
  sql::ColumnLimit limit;
  switch (type.storage) {
    case Storage::kInteger: limit.kind = Kind::kScale; break;
    case Storage::kDecimal:
      limit.kind = Kind::kScale;
      limit.digits = type.scale;
      break;
    case Storage::kFloat:
      limit.kind = Kind::kFloat;
      limit.digits = type.precision <= 24 ? 6 : 15;
      break;
    case Storage::kDate: limit.kind = Kind::kDate; break;
    case Storage::kTime:
    case Storage::kTimetz:
      limit.kind = Kind::kFraction;
      limit.digits = 6;
      limit.time_only = true;
      break;
    case Storage::kTimestamp:
    case Storage::kTimestamptz:
      limit.kind = Kind::kFraction;
      limit.digits = 6;
      break;
    default: break;
  }
  return limit;
}

constexpr uint64_t kMaxStatedRow = 15U << 20;  // bytes; the server reads statements of up to 16 MB

bool holds_nul(const cdcrt_cell& cell) {
  return cell.tag == CDCRT_STRING && cell.size > 0 && std::memchr(cell.value.data, 0, cell.size) != nullptr;
}

/// A CHAR is padded with blanks: only a text that fills it, or has none at its end, comes back as it was.
bool loses_blanks(const cdcrt_cell& cell, const ColumnType& type) {
  if (!sql::has_bytes(cell) || cell.size == 0 || cell.size == type.length || type.name.compare(0, 4, "CHAR") != 0) return false;
  return sql::bytes_of(cell).back() == ' ';
}

bool can_grow(const ColumnType& type) { return type.name.compare(0, 3, "VAR") == 0; }

}  // namespace

std::string free_name(const CatalogTable& catalog, std::string name) {
  while (catalog.find(name) != nullptr) name += '_';
  return name;
}

Status make_shape(TargetSession& session, const cdcrt_table& table, const CatalogTable& catalog, const cdcrt_column* columns,
                  const std::vector<uint32_t>& chosen, StageShape& shape) {
  const bool case_sensitive = session.names().case_sensitive;
  Status status = session.append_table(shape.table, table);
  if (status) status = sql::redshift::append_name(shape.qualifier, sdk::view(table.name), "table", case_sensitive);
  if (!status) return status;
  std::vector<bool> used(catalog.columns.size());
  for (const uint32_t index : chosen) {
    const std::string name = sql::redshift::folded(sdk::view(columns[index].name), case_sensitive);
    const CatalogColumn* found = catalog.find(name);
    if (found == nullptr) {
      return Status::error(CDCRT_STALE_SCHEMA, "table " + sql::shown(sdk::view(table.name)) + " has no column " + sql::shown(name))
          .with_native(0, "42703");
    }
    const auto place = static_cast<std::size_t>(found - catalog.columns.data());
    if (used[place]) {
      return Status::error(CDCRT_BAD_CONFIG,
                           "two columns of table " + sql::shown(sdk::view(table.name)) + " are " + sql::shown(name) +
                               " in Redshift, which does not tell case apart",
                           "rename or exclude one of them in the route (`columns.NAME.rename`)");
    }
    used[place] = true;
    StageColumn column;
    status = sql::redshift::append_name(column.name, name, "column", case_sensitive);
    if (!status) return status;
    column.type = found->type;
    column.not_null = found->not_null;
    column.key = columns[index].key_ordinal > 0;
    shape.columns.push_back(std::move(column));
  }
  for (std::size_t i = 0; i < used.size() && status; ++i) {
    if (!used[i]) status = sql::redshift::append_name(shape.others.emplace_back(), catalog.columns[i].name, "column", true);
  }
  return status;
}

sql::redshift::KeySet make_key_set(const StageShape& shape, const cdcrt_column* columns, const std::vector<uint32_t>& keys,
                                   const cdcrt_cell* cells, uint64_t stride) {
  sql::redshift::KeySet set;
  set.cells = cells;
  set.stride = stride;
  for (const StageColumn& column : shape.columns) {
    if (!column.key) continue;
    const uint32_t cell = keys[set.columns.size()];
    set.columns.push_back({column.name, column.type, sdk::view(columns[cell].name), cell});
  }
  return set;
}

/// Cuts the cell there to `most` bytes (0: nothing of it can be kept), or makes it NULL. False: its column does not allow that.
bool TableWrite::fit(uint64_t place, const cdcrt_column& column, uint64_t max_bytes) {
  cdcrt_cell fitted{};
  fitted.tag = CDCRT_NULL;
  if ((column.flags & CDCRT_COLUMN_MAY_CUT) != 0 && max_bytes > 0 && write_.cells[place].tag == CDCRT_STRING) {
    fitted = sql::cut(write_.cells[place], static_cast<uint32_t>(max_bytes));
  } else if ((column.flags & CDCRT_COLUMN_MAY_NULL) == 0) {
    return false;
  }
  replace(place, fitted);
  return true;
}

/// Leaves out digits of a second that the column does not keep, where it allows that.
bool TableWrite::cut_fraction(uint64_t place, const cdcrt_column& column, const sql::ColumnLimit& limit) {
  if ((column.flags & CDCRT_COLUMN_MAY_CUT_FRACTION) == 0) return false;
  cdcrt_cell cell = write_.cells[place];
  std::string text;
  if (!sql::cut_fraction_to(limit, cell, text)) return false;
  if (sql::has_bytes(cell)) cell = sql::text_cell(static_cast<cdcrt_tag>(cell.tag), texts_.emplace_back(std::move(text)));
  replace(place, cell);
  return true;
}

void TableWrite::replace(uint64_t place, const cdcrt_cell& cell) {
  put(place, cell);
  ++overflowed_;
}

void TableWrite::put(uint64_t place, const cdcrt_cell& cell) {
  if (fitted_.empty()) {
    fitted_.assign(write_.cells, write_.cells + write_.row_count * write_.column_count);
    write_.cells = fitted_.data();
  }
  fitted_[place] = cell;
}

/// What the column would refuse, or change without a word.
Status TableWrite::check_value(uint64_t place, const cdcrt_column& column, const StageColumn& target, const sql::ColumnLimit& limit) {
  const ColumnType& type = target.type;
  if (write_.cells[place].tag <= CDCRT_NULL) return {};
  const auto why = sql::redshift::why_unstorable(write_.cells[place], type.storage);
  if (!why.empty() && !fit(place, column, 0)) {
    return Status::bad_record("column " + sql::shown(sdk::view(column.name)) + " of " + shape_.table + ": " + std::string(why),
                              "on_overflow = \"null\" in the route's columns, where NULL will do");
  }
  if (!sql::keeps(limit, write_.cells[place]) && !cut_fraction(place, column, limit) && !fit(place, column, 0)) {
    std::string text;
    sql::append_cell_text(text, write_.cells[place], sdk::TextStyle::kIso8601);
    return Status::bad_record("column " + sql::shown(sdk::view(column.name)) + " of " + shape_.table + " is " + type.name +
                                  ", which would change this value: " + sql::shown(text),
                              "change the target's column, or give the column on_overflow = \"null\" in the route");
  }
  if (!target.key || type.storage != Storage::kText) return {};
  const std::string key = "key column " + sql::shown(sdk::view(column.name)) + " of " + shape_.table;
  if (holds_nul(write_.cells[place])) {
    return Status::bad_record(
        key + " holds a NUL character (U+0000), which Redshift cannot store; without it this would be the key of another row",
        "give the route another primary_key, or keep such rows out at the source");
  }
  if (loses_blanks(write_.cells[place], type)) {
    return Status::bad_record(key + " is " + type.name +
                                  ", which does not tell a text from the same with blanks at its end: this could be the key of another row",
                              "make the column a VARCHAR in the target");
  }
  return {};
}

uint64_t TableWrite::count_bytes(uint64_t first) const {
  constexpr uint64_t kOfOthers = 12;  // a number, a date, and what separates them
  uint64_t bytes = 0, quotes = 0;
  for (const uint32_t column : columns_) {
    const cdcrt_cell& cell = write_.cells[first + column];
    bytes += kOfOthers;
    if (!sql::has_bytes(cell)) continue;
    bytes += cell.tag == CDCRT_BYTES ? 2 * uint64_t{cell.size} : cell.size;
  }
  if (bytes <= sql::redshift::kMaxRow / 4) return bytes;
  for (const uint32_t column : columns_) {
    const cdcrt_cell& cell = write_.cells[first + column];
    if (!sql::has_bytes(cell) || cell.tag == CDCRT_BYTES) continue;
    const std::string_view text = sql::bytes_of(cell);
    quotes += static_cast<uint64_t>(std::count(text.begin(), text.end(), '"'));  // doubled in the file
  }
  return bytes + quotes;
}

Status TableWrite::check(const std::function<bool(const std::string& shown)>& stays, std::vector<Widening>& out) {
  if (write_.kind == CDCRT_WRITE_CLEAR) return session_.append_table(shape_.table, write_.table);
  Status status = make_shape(session_, write_.table, catalog_, write_.columns, columns_, shape_);
  if (!status) return status;
  const std::size_t width = columns_.size();
  std::vector<uint64_t> stored_bytes(width), max_bytes(width, UINT64_MAX);
  std::vector<sql::ColumnLimit> limits;
  std::string buffer;
  for (const auto& column : shape_.columns) limits.push_back(limit_of(column.type));
  for (std::size_t c = 0; c < width; ++c) {
    const ColumnType& type = shape_.columns[c].type;
    if (type.length == 0) continue;
    const bool kept = (write_.columns[columns_[c]].flags & CDCRT_COLUMN_KEEP) != 0;
    const bool grows = can_grow(type) && !kept && !stays(shape_.table + "." + shape_.columns[c].name);
    max_bytes[c] = !grows ? type.length : type.storage == Storage::kBytes ? sql::redshift::kMaxVarbyte : sql::redshift::kMaxVarchar;
  }
  for (uint64_t i = 0; i < rows(); ++i) {
    const uint64_t first = i * write_.column_count;
    for (std::size_t c = 0; c < width; ++c) {
      const cdcrt_column& column = write_.columns[columns_[c]];
      const uint64_t place = first + columns_[c];
      const ColumnType& type = shape_.columns[c].type;
      if (sql::has_bytes(write_.cells[place]) && write_.cells[place].size > max_bytes[c]) fit(place, column, max_bytes[c]);
      status = check_value(place, column, shape_.columns[c], limits[c]);
      if (!status) return status;
      const cdcrt_cell& cell = write_.cells[place];
      if (type.length != 0 && cell.tag > CDCRT_NULL) {
        stored_bytes[c] = std::max<uint64_t>(
            stored_bytes[c], sql::has_bytes(cell) ? cell.size : sql::redshift::stored_value(cell, type.storage, buffer).text.size());
      }
      needs_files_ = needs_files_ || sql::redshift::needs_several_constants(cell, type.storage);
    }
    const uint64_t row_bytes = count_bytes(first);
    // Rows of the host's own are constants always, and may hold a row of ours.
    if (row_bytes > (write_.is_direct != 0 ? kMaxStatedRow : sql::redshift::kMaxRow)) {
      return Status::bad_record("a row of " + shape_.table + " has " + std::to_string(row_bytes) + " bytes; COPY reads rows of up to 4 MiB",
                                "exclude a large column in the route, or hash it");
    }
    text_bytes_ += row_bytes;
  }
  for (std::size_t c = 0; c < width; ++c) {
    const ColumnType& type = shape_.columns[c].type;
    if (stored_bytes[c] <= type.length) continue;
    const bool kept = (write_.columns[columns_[c]].flags & CDCRT_COLUMN_KEEP) != 0;
    const uint32_t bytes =
        type.storage == Storage::kBytes ? sql::redshift::widened_varbyte(stored_bytes[c]) : sql::redshift::widened_varchar(stored_bytes[c]);
    const std::string name = shape_.table + "." + shape_.columns[c].name;
    if (bytes == 0 || kept || !can_grow(type)) {
      return Status::bad_record(
          "column " + name + " is " + type.name + " and cannot hold a value of " + std::to_string(stored_bytes[c]) + " bytes",
          "on_overflow = \"truncate\" or \"null\" in the route's columns, or exclude the column");
    }
    const bool case_sensitive = session_.names().case_sensitive;
    out.push_back({shape_.table, shape_.columns[c].name, session_.schema_of(write_.table),
                   sql::redshift::folded(sdk::view(write_.table.name), case_sensitive),
                   sql::redshift::folded(sdk::view(write_.columns[columns_[c]].name), case_sensitive), name, type, bytes});
  }
  return {};
}

Status TableWrite::run(uint64_t stage_number, bool is_empty) {
  Status status = run_kind(stage_number, is_empty);
  const uint64_t changed = overflowed_ + loader_.take_removed_nul();
  if (status && changed > 0 && write_.overflowed != nullptr) write_.overflowed(write_.context, changed);
  return status;
}

Status TableWrite::run_kind(uint64_t stage_number, bool is_empty) {
  switch (write_.kind) {
    case CDCRT_WRITE_CLEAR: return execute("DELETE FROM " + shape_.table);
    case CDCRT_WRITE_APPEND: return append_rows();
    case CDCRT_WRITE_REMOVE: return remove_copies(stage_number);
    case CDCRT_WRITE_PATCH: return through_stage(stage_number);
    default: break;
  }
  // No key twice in one write, and none before it.
  if (is_empty && brings_rows()) return append_rows();
  const bool replaces = write_.kind != CDCRT_WRITE_UPSERT || covers_table();
  if (replaces && !is_large()) return in_place();
  return through_stage(stage_number);
}

Status TableWrite::append_rows() {
  if (columns_.empty()) {  // every column takes its default
    std::string name;
    Status status = sql::redshift::append_name(name, catalog_.columns.at(0).name, "column", true);
    std::string text = "INSERT INTO " + shape_.table + " (" + name + ") VALUES ";
    for (uint64_t row = 0; row < rows(); ++row) text += row == 0 ? "(DEFAULT)" : ", (DEFAULT)";
    return status ? execute(text) : std::move(status);
  }
  // Straight into the table: rows and progress are one transaction, so that nothing is loaded twice.
  return loader_.load(load_into(shape_.table, false), refused_);
}

sql::redshift::KeySet TableWrite::key_set() const {
  std::vector<uint32_t> keys;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (shape_.columns[i].key) keys.push_back(columns_[i]);
  }
  return make_key_set(shape_, write_.columns, keys, write_.cells, write_.column_count);
}

/// Few rows: constants in two statements rather than a staging table in five.
Status TableWrite::in_place() {
  std::vector<uint64_t> indexes(rows());
  std::iota(indexes.begin(), indexes.end(), 0);
  const auto set = key_set();
  Status status;
  for (uint64_t first = 0, last = 0; first < indexes.size() && status; first = last) {
    last = set.end_of(indexes, first);
    std::string text = "DELETE FROM " + shape_.table + " WHERE ";
    status = append_key_condition(text, set, indexes, first, last);
    int64_t deleted = 0;
    if (status) status = execute(text, &deleted);
    note_deleted(deleted);
  }
  if (!status || write_.kind == CDCRT_WRITE_DELETE) return status;
  return loader_.load(load_into(shape_.table, false), refused_);
}

/// One that rows of this shape went through before, or a new one. Rows of other batches stay in it and do not count.
Status TableWrite::find_stage(uint64_t stage_number) {
  shape_.stage = "\"" + std::string("cdcrt_stage_") + std::to_string(stage_number) + "\"";
  shape_.row_number = "\"" + free_name(catalog_, "cdcrt_row") + "\"";
  if (write_.kind == CDCRT_WRITE_PATCH) {
    stages_.retire(shape_.stage);
    return execute(sql::redshift::create_stage(shape_));
  }
  shape_.batch = stage_number;
  std::string signature = shape_.table;
  for (const StageColumn& column : shape_.columns) signature += '\0' + column.name + '\0' + column.type.name + (column.key ? " key" : "");
  if (std::string known = stages_.find(signature, text_bytes_); !known.empty()) {
    shape_.stage = std::move(known);
    return {};
  }
  Status status = execute(sql::redshift::create_stage(shape_));
  if (status) stages_.made(signature, shape_.stage);
  return status;
}

Status TableWrite::through_stage(uint64_t stage_number) {
  const bool patch = write_.kind == CDCRT_WRITE_PATCH;
  const bool joins = patch || (write_.kind == CDCRT_WRITE_UPSERT && !covers_table());
  std::vector<WideValue> wide;
  if (joins) wide = take_wide_values();
  Status status = find_stage(stage_number);
  // What is inserted from it is counted there.
  const bool is_counted = write_.kind != CDCRT_WRITE_DELETE && !patch && (write_.kind != CDCRT_WRITE_UPSERT || covers_table());
  if (status) status = loader_.load(load_into(shape_.stage, true, is_counted), refused_);
  if (!status) return status;
  switch (write_.kind) {
    case CDCRT_WRITE_DELETE: status = execute(sql::redshift::delete_by_stage(shape_)); break;
    case CDCRT_WRITE_PATCH: {
      uint64_t missing = 0;
      if (write_.missing != nullptr) status = report_missing(sql::redshift::select_missing(shape_), missing);
      const std::string update = sql::redshift::update_from_stage(shape_);
      int64_t changed = 0;
      if (!status || update.empty()) break;
      status = execute(update, &changed);
      if (status && write_.missing != nullptr && static_cast<uint64_t>(changed) < rows() - missing) {
        status = Status::error(CDCRT_BUSY, what_ + ": " + std::to_string(changed) + " rows were updated where " +
                                               std::to_string(rows() - missing) + " were found");
      }
      break;
    }
    case CDCRT_WRITE_UPSERT:
      if (!covers_table()) {
        const std::string update = sql::redshift::update_from_stage(shape_);
        if (!update.empty()) status = execute(update);
        if (status) status = execute(sql::redshift::insert_missing(shape_));
        break;
      }
      [[fallthrough]];
    default: {
      int64_t deleted = 0;
      int64_t inserted = 0;
      status = execute(sql::redshift::delete_by_stage(shape_), &deleted);
      note_deleted(deleted);
      if (status) status = execute(sql::redshift::insert_from_stage(shape_), &inserted);
      if (status && static_cast<uint64_t>(inserted) != rows()) {
        status = Status::error(CDCRT_BUSY,
                               what_ + ": " + std::to_string(inserted) + " of " + std::to_string(rows()) + " staged rows were inserted");
      }
    }
  }
  if (status) status = set_wide_values(wide);
  return status;
}

/// Where a SUPER would go through a join, clients have seen it refused beyond 65,535 bytes: "Invalid input (8001)". Such values are left
/// out of the stage, as JSON null, and set by themselves afterwards.
std::vector<TableWrite::WideValue> TableWrite::take_wide_values() {
  std::vector<WideValue> wide;
  for (uint64_t row = 0; row < rows(); ++row) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const uint64_t place = row * write_.column_count + columns_[c];
      const cdcrt_cell cell = write_.cells[place];
      if (shape_.columns[c].key || shape_.columns[c].type.storage != Storage::kSuper ||
          !sql::redshift::needs_several_constants(cell, Storage::kSuper))
        continue;
      wide.push_back({row, c, cell});
      put(place, sql::text_cell(CDCRT_JSON, "null"));
    }
  }
  return wide;
}

Status TableWrite::set_wide_values(const std::vector<WideValue>& wide) {
  Status status;
  if (wide.empty()) return status;
  const auto set = key_set();
  for (const WideValue& value : wide) {
    const StageColumn& column = shape_.columns[value.column];
    std::string text = "UPDATE " + shape_.table + " SET " + column.name + " = ";
    if (status) status = sql::redshift::append_cell(text, value.cell, column.type, sdk::view(write_.columns[columns_[value.column]].name));
    text += " WHERE ";
    if (status) status = append_key_condition(text, set, {value.row}, 0, 1);
    if (status) status = execute(text);
  }
  return status;
}

void TableWrite::note_deleted(int64_t rows) {
  if (write_.kind == CDCRT_WRITE_UPSERT && rows != 0) must_still_cover();
}

/// A column that somebody added since the catalog was read must not lose its values by DELETE and INSERT. The DELETE holds the table's
/// lock, so that none is added any more until the transaction ends: it is looked at once for all tables, before the COMMIT.
void TableWrite::must_still_cover() {
  notes_.columns[{session_.schema_of(write_.table), sql::redshift::folded(sdk::view(write_.table.name), session_.names().case_sensitive)}] =
      catalog_.columns.size();
}

Status TableWrite::delete_rows_of_host() {
  constexpr uint64_t kMaxDeleted = 2000;
  uint32_t keys = 0;
  while (keys < shape_.columns.size() && shape_.columns[keys].key) ++keys;
  Status status;
  for (uint64_t first = 0, last = 0; first < write_.row_count && status; first = last) {
    for (uint64_t bytes = 0; last < write_.row_count && last - first < kMaxDeleted && (last == first || bytes < kHostStatementBytes);
         ++last) {
      bytes += constant_bytes(write_.cells + last * write_.column_count, keys);
    }
    std::string text = "DELETE FROM " + shape_.table + " WHERE ";
    status = append_host_condition(text, shape_, write_.cells, write_.column_count, keys, first, last);
    if (status) status = execute(text);
  }
  return status;
}

Status TableWrite::run_of_host() {
  if (write_.kind == CDCRT_WRITE_DELETE) return delete_rows_of_host();
  if (write_.kind == CDCRT_WRITE_UPSERT) {
    uint32_t keys = 0;
    while (keys < shape_.columns.size() && shape_.columns[keys].key) ++keys;
    int64_t found = -1;
    std::string text;
    uint64_t key_bytes = 0, all_bytes = 0;
    for (uint64_t row = 0; row < write_.row_count && write_.row_count <= kMaxUpdated; ++row) {
      key_bytes += constant_bytes(write_.cells + row * write_.column_count, keys);
      all_bytes += constant_bytes(write_.cells + row * write_.column_count, write_.column_count);
    }
    // Each column that differs names all keys.
    const bool may_update = write_.row_count <= kMaxUpdated && all_bytes + key_bytes * (write_.column_count - keys) < kHostStatementBytes;
    Status status = may_update ? append_host_update(text, shape_, write_.cells, write_.row_count, keys) : Status();
    if (status && !text.empty()) status = execute(text, &found);
    if (!status || found == static_cast<int64_t>(write_.row_count)) return status;
    if (found != 0) status = delete_rows_of_host();
    if (!status) return status;
  }
  Status status = loader_.load(load_into(shape_.table, false), refused_);
  static_cast<void>(loader_.take_removed_nul());  // nobody counts those of the host, and the next table must not
  return status;
}

Status TableWrite::report_missing(const std::string& select, uint64_t& count) {
  return session_.select(select, 1, what_, [&](const std::vector<Field>& row) {
    ++count;
    if (row[0] && write_.missing != nullptr) write_.missing(write_.context, std::strtoull(row[0]->c_str(), nullptr, 10));
    return true;
  });
}

}  // namespace cdcrt::redshift
