#include "row_layout.hpp"

#include <utility>

#include "cdcrt/sdk/glob.hpp"

namespace cdcrt::dms {

using sdk::JsonTape;
using sdk::Status;

namespace {

// What a text means is not told beside it: the table's definition says it.
constexpr uint32_t kUntyped = CDCRT_COLUMN_HEX | CDCRT_COLUMN_ROUNDED;

template <class Visit>
void each_name(const JsonTape& tape, uint32_t object, Visit&& visit) {
  uint32_t name = object + 1;
  for (uint32_t i = 0; i < tape[object].size; ++i, name = tape[name + 1].next) visit(tape.text(name));
}

}  // namespace

sdk::TableShape shape_of(const Metadata& metadata) {
  sdk::TableShape shape(metadata.table);
  shape.schema(metadata.schema);
  return shape;
}

void RowLayouts::write_key(const Metadata& metadata, const JsonTape& tape, uint32_t data, uint32_t before) {
  const auto add = [&](std::string_view text) {
    const auto size = static_cast<uint32_t>(text.size());
    key_.append(reinterpret_cast<const char*>(&size), sizeof size);
    key_ += text;
  };
  key_ = metadata.operation == Operation::kDelete ? "d" : "r";
  add(metadata.schema);
  add(metadata.table);
  each_name(tape, data, add);
  if (before == 0) return;
  key_ += 'b';
  each_name(tape, before, add);
}

Status RowLayouts::find(const Metadata& metadata, const JsonTape& tape, uint32_t data, uint32_t before, sdk::RowBuilder& rows,
                        const RowLayout*& layout) {
  write_key(metadata, tape, data, before);
  layout = layouts_.find(key_);
  if (layout != nullptr) return {};
  RowLayout made;
  if (Status status = make(metadata, tape, data, before, rows, made); !status) return status;
  const std::size_t bytes = made.members.size() * sizeof(RowLayout::Member);
  layout = &layouts_.add(key_, std::move(made), bytes);
  return {};
}

Status RowLayouts::make(const Metadata& metadata, const JsonTape& tape, uint32_t data, uint32_t before, sdk::RowBuilder& rows,
                        RowLayout& layout) const {
  sdk::TableShape shape = shape_of(metadata);
  shape.key_elsewhere();
  const bool removes = metadata.operation == Operation::kDelete;
  const bool has_row = !removes || settings_.deletes_have_rows;
  if (has_row && !settings_.includes_nulls) shape.absent_is_null();
  const auto place = [&](std::string_view column) {
    const uint32_t known = shape.find(column);
    return known < shape.size() ? known : shape.add(column, {}, kUntyped);
  };
  std::string_view twice;
  each_name(tape, data, [&](std::string_view name) {
    if (!settings_.before_names.column_of(name).empty()) return;
    if (shape.find(name) < shape.size()) twice = name;
    place(name);
  });
  const uint32_t after = shape.size();
  std::vector<bool> told;
  each_name(tape, data, [&](std::string_view name) {
    const std::string_view column = settings_.before_names.column_of(name);
    const uint32_t at = place(column.empty() ? name : column);
    layout.members.push_back({at, !column.empty()});
    if (column.empty()) return;
    layout.has_before = true;
    told.resize(shape.size());
    if (told[at]) twice = name;
    told[at] = true;
  });
  if (before != 0) {
    std::vector<bool> seen;
    each_name(tape, before, [&](std::string_view name) {
      layout.before_image.push_back(place(name));
      seen.resize(shape.size());
      if (seen[layout.before_image.back()]) twice = name;
      seen[layout.before_image.back()] = true;
    });
  }
  if (twice.data() != nullptr) return Status::bad_record("the column \"" + std::string(twice) + "\" stands twice in the record");
  if (!removes && settings_.includes_nulls && shape.size() > after) {
    return Status::bad_record(
        "the row before the change has a column \"" + std::string(shape.name(after)) + "\" that the row after it lacks",
        "set include_null_and_empty = false, unless the endpoint has IncludeNullAndEmpty");
  }
  for (const EmptyColumn& empty : settings_.empty_columns) {
    const std::string table = std::string(metadata.schema) + "." + std::string(metadata.table);
    if (!has_row || !sdk::glob_matches(empty.table, table)) continue;
    const bool is_told = shape.find(empty.column) < after;
    const uint32_t column = place(empty.column);
    if (!is_told) layout.empty_columns.push_back(column);
    if (layout.has_before || before != 0) layout.empty_before.push_back(column);
  }
  layout.shape = rows.intern(shape.abi());
  layout.columns = shape.size();
  return {};
}

}  // namespace cdcrt::dms
