#include "apply/cell_converter.hpp"

#include <algorithm>

#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/status.hpp"
#include "types/convert.hpp"
#include "types/decimal.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {
namespace {

// Bytes of the buffer that a table keeps for its next row; a larger one is given back.
constexpr std::size_t kKeptForConversion = 2 << 10;

bool is_float(cdcrt_type type) { return type.kind == CDCRT_TYPE_FLOAT32 || type.kind == CDCRT_TYPE_FLOAT64; }
bool is_number(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_DECIMAL; }

/// The type of a number that came as a text; that of a text where it is none.
cdcrt_type shown_by(const cdcrt_cell& cell) {
  const auto number = cell.tag == CDCRT_STRING ? types::decimal_text(sdk::text(cell)) : std::nullopt;
  const auto decimal = number ? types::parse_decimal(*number) : std::nullopt;
  if (!decimal || decimal->kind != types::Decimal::Kind::kFinite) return types::learned(cell);
  if (types::to_int64(*decimal)) return types::type_of(CDCRT_TYPE_INT64);
  return types::to_uint64(*decimal) ? types::type_of(CDCRT_TYPE_UINT64) : types::decimal_type(0, 0);
}

/// What a declared column becomes for a value that came without a type and only is too long or too large for it. UNKNOWN: the value is
/// of another kind, and no reason to give the declaration up.
cdcrt_type grown(cdcrt_type declared, const cdcrt_cell& cell) {
  const cdcrt_type shown = is_number(declared) ? shown_by(cell) : types::learned(cell);
  if (shown.kind == CDCRT_TYPE_STRING && declared.kind == CDCRT_TYPE_STRING) return shown;
  if (!is_number(shown) || !is_number(declared)) return {};
  return is_float(declared) ? types::type_of(CDCRT_TYPE_FLOAT64) : types::join(declared, shown);
}

}  // namespace

void CellConverter::release() {
  arena_.clear();
  if (arena_.reserved() > kKeptForConversion) arena_.release();
}

bool CellConverter::is_plain(const evolution::ShapeMap& map, std::size_t column, const cdcrt_cell& cell) const {
  if (map.version != knowledge_.version()) return false;
  const uint8_t kind = map.plain[column];
  return kind != CDCRT_TYPE_UNKNOWN && types::is_ready(cell, cdcrt_type{kind, 0, 0, 0}, cdcrt_type{kind, 0, 0, 0});
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
    if (cells[i].tag <= CDCRT_NULL || is_plain(map, i, cells[i])) {
      out[slot] = cells[i];
    } else if (!convert_cell(cells[i], shape.columns[i], shape.declared, slot, out[slot], error)) {
      return false;
    }
  }
  if (shape.absent_is_null) {
    for (const uint32_t slot : map.absent) out[slot] = types::null_cell();
  }
  // A part of a row need not have the value that the column has under another name.
  const auto is_absent = [&](int32_t slot) { return slot >= 0 && out[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT; };
  if (!map.nulls.empty() && std::none_of(map.slots.begin(), map.slots.end(), is_absent)) {
    for (const uint32_t slot : map.nulls) out[slot] = types::null_cell();
  }
  return true;
}

bool CellConverter::convert_cell(const cdcrt_cell& cell, const event::ShapeColumn& source, bool declared, uint32_t slot, cdcrt_cell& out,
                                 Error& error) {
  // What is learned of a value may make another one of it (ColumnList).
  const evolution::Column* known = &knowledge_.columns()[slot];
  const auto follow = [&] { known = &knowledge_.columns()[slot]; };
  const cdcrt_type from = source.type;
  if (cell.tag == CDCRT_F64 && (source.flags & CDCRT_COLUMN_ROUNDED) != 0 && !is_float(known->type)) {
    error = make_error(
        CDCRT_BAD_RECORD, "column '" + known->source_name + "': " + types::display(cell) + " has more digits than the producer wrote",
        "let the producer write the column as text; if it is one of floats, give it type = \"float64\" in the route's columns");
    return false;
  }
  // A declared type holds also for values that come without one, as far as they are such values.
  const bool holds = from.kind == CDCRT_TYPE_UNKNOWN && !known->type_order.empty() && known->on_overflow != types::OnOverflow::kWiden;
  // A cell that only says which row is meant changes no type: the target cannot have a row that its column does not hold.
  if (!known->typed_by_route && !holds && (learns_ || known->type.kind == CDCRT_TYPE_UNKNOWN)) {
    const cdcrt_type shown = from.kind == CDCRT_TYPE_UNKNOWN ? types::learned(cell) : from;
    if (!knowledge_.may_hold(slot, shown)) {
      error = make_error(
          CDCRT_BAD_RECORD,
          "column '" + known->source_name + "': a value of type " + types::to_string(shown) + ", of which the target can make no key",
          "give the column a type in the route's columns, or the route another primary_key");
      return false;
    }
    if (from.kind == CDCRT_TYPE_UNKNOWN) {
      knowledge_.learn(slot, cell);
    } else if (!declared) {
      knowledge_.widen(slot, from);
    }
    follow();
  }
  const bool is_hex = cell.tag == CDCRT_STRING && known->type.kind == CDCRT_TYPE_BYTES && (source.flags & CDCRT_COLUMN_HEX) != 0;
  const bool read = (known->typed_by_route && !declared) || is_hex;
  const types::Parse parse = is_hex && known->parse == types::Parse::kNone ? types::Parse::kHex : known->parse;
  if (!read && types::is_ready(cell, from, known->type)) {
    out = cell;
    return cell.tag != CDCRT_TIME || keep_length(slot, out, error);
  }
  const auto convert = [&] {
    return read ? types::read_as(cell, parse, known->type, arena_) : types::convert(cell, from, known->type, arena_);
  };
  auto converted = convert();
  if (!converted && holds && learns_ && !known->typed_by_route && known->on_overflow == types::OnOverflow::kDefault) {
    const cdcrt_type wider = grown(known->type, cell);
    if (wider.kind != CDCRT_TYPE_UNKNOWN && knowledge_.may_hold(slot, wider)) {
      knowledge_.widen(slot, wider);
      follow();
      converted = convert();
    }
  }
  const bool overflows = !converted;
  // Keys are never cut: a cut key would be the key of another row.
  const bool is_key = known->key_ordinal > 0;
  if (!converted && !is_key && known->on_overflow == types::OnOverflow::kNull) converted = types::null_cell();
  const bool cuts = known->on_overflow == types::OnOverflow::kTruncate;
  if (!converted && !is_key && cuts) {
    if (auto cut = types::truncate(cell, known->type)) converted = *cut;
  }
  if (!converted && !is_key && (cuts || known->on_overflow == types::OnOverflow::kDefault)) {
    if (auto cut = types::cut_fraction(cell, read ? parse : types::Parse::kNone, known->type, arena_)) converted = *cut;
  }
  if (!converted && known->on_overflow == types::OnOverflow::kWiden) {
    // A date or time that comes as text is beyond what its declared type holds.
    const bool as_it_came = from.kind == CDCRT_TYPE_UNKNOWN ||
                            (cell.tag == CDCRT_STRING && from.kind >= CDCRT_TYPE_DATE && from.kind <= CDCRT_TYPE_TIMESTAMPTZ);
    knowledge_.widen(slot, as_it_came ? types::learned(cell) : from);
    follow();
    converted = convert();
  }
  if (converted) {
    if (overflows && known->on_overflow != types::OnOverflow::kWiden) ++overflowed_;
    out = *converted;
    return out.tag != CDCRT_TIME || keep_length(slot, out, error);
  }
  error = std::move(converted.error());
  error.message = "column '" + known->source_name + "': " + error.message;
  return false;
}

// MySQL's TIME may be a duration: where the target's time ends at 24 h, a longer one makes its column an interval.
bool CellConverter::keep_length(uint32_t slot, cdcrt_cell& cell, Error& error) {
  const int64_t max_time = identity_.limits.time_us;
  const evolution::Column& column = knowledge_.columns()[slot];
  if (max_time == 0 || column.type.kind != CDCRT_TYPE_TIME || (cell.value.integer >= 0 && cell.value.integer <= max_time)) return true;
  const auto changes = identity_.route.schema_changes;
  const bool evolves = changes == route::SchemaChanges::kEvolve || changes == route::SchemaChanges::kAddOnly;
  const bool free = evolves && !column.typed_by_route && column.target_type.empty() && column.on_overflow == types::OnOverflow::kDefault;
  if (free || column.on_overflow == types::OnOverflow::kWiden) {
    knowledge_.widen(slot, types::type_of(CDCRT_TYPE_INTERVAL));
    if (auto interval = types::convert(cell, types::type_of(CDCRT_TYPE_TIME), knowledge_.columns()[slot].type, arena_)) {
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
    } else if (!convert_cell(cells[i], shape.columns[i], shape.declared, slot, out[slot], error)) {
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
    } else if (!convert_cell(before[i], shape.columns[i], shape.declared, slot, row[slot], error)) {
      error.message = "the row before its key changed: " + error.message;
      return false;
    }
  }
  return true;
}

}  // namespace cdcrt::apply
