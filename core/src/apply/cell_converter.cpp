#include "apply/cell_converter.hpp"

#include <algorithm>

#include "cdcrt/sdk/status.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {
namespace {

// What a table keeps for its next row, bytes.
constexpr std::size_t kKeptForConversion = 2 << 10;

}  // namespace

void CellConverter::release() {
  arena_.clear();
  if (arena_.reserved() > kKeptForConversion) arena_.release();
}

bool CellConverter::convert_row(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells,
                                std::vector<cdcrt_cell>& out, Error& error) {
  out.assign(knowledge_.columns().size(), cdcrt_cell{});
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) {
      if (cells[i].tag > CDCRT_NULL && map.slots[i] == evolution::ShapeMap::kLate) ++late_;
      if (cells[i].tag > CDCRT_NULL && map.slots[i] == evolution::ShapeMap::kLeftOut) ++left_out_;
      continue;
    }
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    if (cells[i].tag <= CDCRT_NULL) {
      out[slot] = cells[i];
    } else if (!convert_cell(cells[i], shape.columns[i].type, shape.declared, slot, out[slot], error)) {
      return false;
    }
  }
  // A part of a row need not have the value that the column has under another name.
  const auto is_absent = [&](int32_t slot) { return slot >= 0 && out[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT; };
  if (!map.nulls.empty() && std::none_of(map.slots.begin(), map.slots.end(), is_absent)) {
    for (const uint32_t slot : map.nulls) out[slot] = types::null_cell();
  }
  return true;
}

bool CellConverter::convert_cell(const cdcrt_cell& cell, cdcrt_type from, bool declared, uint32_t slot, cdcrt_cell& out, Error& error) {
  const evolution::Column& column = knowledge_.columns()[slot];
  // What only tells which row is meant teaches nothing: a row that the column cannot hold is not there.
  if (!column.typed_by_route && (learns_ || column.type.kind == CDCRT_TYPE_UNKNOWN)) {
    const cdcrt_type shown = from.kind == CDCRT_TYPE_UNKNOWN ? types::learned(cell) : from;
    if (!knowledge_.may_hold(slot, shown)) {
      error = make_error(
          CDCRT_BAD_RECORD,
          "column '" + column.source_name + "': a value of type " + types::to_string(shown) + ", of which the target can make no key",
          "give the column a type in the route's columns, or the route another primary_key");
      return false;
    }
    if (from.kind == CDCRT_TYPE_UNKNOWN) {
      knowledge_.learn(slot, cell);
    } else if (!declared) {
      knowledge_.widen(slot, from);
    }
  }
  const bool read = column.typed_by_route && !declared;
  if (!read && types::is_ready(cell, from, column.type)) {
    out = cell;
    return cell.tag != CDCRT_TIME || keep_length(slot, out, error);
  }
  const auto convert = [&] {
    return read ? types::read_as(cell, column.parse, column.type, arena_) : types::convert(cell, from, column.type, arena_);
  };
  auto converted = convert();
  const bool overflows = !converted;
  // A key that is cut is another row's.
  const bool is_key = column.key_ordinal > 0;
  if (!converted && !is_key && column.on_overflow == types::OnOverflow::kNull) converted = types::null_cell();
  const bool cuts = column.on_overflow == types::OnOverflow::kTruncate;
  if (!converted && !is_key && cuts) {
    if (auto cut = types::truncate(cell, column.type)) converted = *cut;
  }
  if (!converted && !is_key && (cuts || column.on_overflow == types::OnOverflow::kDefault)) {
    if (auto cut = types::cut_fraction(cell, read ? column.parse : types::Parse::kNone, column.type, arena_)) converted = *cut;
  }
  if (!converted && column.on_overflow == types::OnOverflow::kWiden) {
    // A moment that came as text is one that its declared type does not hold.
    const bool as_it_came = from.kind == CDCRT_TYPE_UNKNOWN ||
                            (cell.tag == CDCRT_STRING && from.kind >= CDCRT_TYPE_DATE && from.kind <= CDCRT_TYPE_TIMESTAMPTZ);
    knowledge_.widen(slot, as_it_came ? types::learned(cell) : from);
    converted = convert();
  }
  if (converted) {
    if (overflows && column.on_overflow != types::OnOverflow::kWiden) ++overflowed_;
    out = *converted;
    return out.tag != CDCRT_TIME || keep_length(slot, out, error);
  }
  error = std::move(converted.error());
  error.message = "column '" + column.source_name + "': " + error.message;
  return false;
}

// A time that is a length (MySQL's TIME) makes its column an interval where the target's time ends at 24 h.
bool CellConverter::keep_length(uint32_t slot, cdcrt_cell& cell, Error& error) {
  const int64_t longest = identity_.limits.time_us;
  const evolution::Column& column = knowledge_.columns()[slot];
  if (longest == 0 || column.type.kind != CDCRT_TYPE_TIME || (cell.value.integer >= 0 && cell.value.integer <= longest)) return true;
  const auto changes = identity_.route.schema_changes;
  const bool evolves = changes == route::SchemaChanges::kEvolve || changes == route::SchemaChanges::kAddOnly;
  const bool free = evolves && !column.typed_by_route && column.target_type.empty() && column.on_overflow == types::OnOverflow::kDefault;
  if (free || column.on_overflow == types::OnOverflow::kWiden) {
    knowledge_.widen(slot, types::type_of(CDCRT_TYPE_INTERVAL));
    if (auto interval = types::convert(cell, types::type_of(CDCRT_TYPE_TIME), column.type, arena_)) {
      cell = *interval;
      return true;
    }
  }
  if (column.on_overflow == types::OnOverflow::kNull && column.key_ordinal == 0) {
    cell = types::null_cell();
    ++overflowed_;
    return true;
  }
  error = make_error(CDCRT_BAD_RECORD,
                     "column '" + column.source_name + "': a length of time, and the target's time ends at 24 h: " + types::display(cell),
                     "give the column type = \"interval\" in the route");
  return false;
}

bool CellConverter::convert_key(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells,
                                std::vector<cdcrt_cell>& out, Error& error) {
  out.assign(knowledge_.columns().size(), cdcrt_cell{});
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) continue;
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    if (knowledge_.columns()[slot].key_ordinal == 0) continue;
    if (cells[i].tag <= CDCRT_NULL) {
      out[slot] = cells[i];
    } else if (!convert_cell(cells[i], shape.columns[i].type, shape.declared, slot, out[slot], error)) {
      error.message = "the key that the row had before: " + error.message;
      return false;
    }
  }
  return true;
}

bool CellConverter::complete(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* before,
                             std::vector<cdcrt_cell>& row, Error& error) {
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) continue;
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    if (row[slot].tag != CDCRT_ABSENT || before[i].tag == CDCRT_ABSENT) continue;
    if (before[i].tag == CDCRT_NULL) {
      row[slot] = before[i];
    } else if (!convert_cell(before[i], shape.columns[i].type, shape.declared, slot, row[slot], error)) {
      error.message = "the row before its key changed: " + error.message;
      return false;
    }
  }
  return true;
}

}  // namespace cdcrt::apply
