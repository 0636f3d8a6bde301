#include "event/row_check.hpp"

#include <vector>

#include "cdcrt/sdk/operation.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/text.hpp"
#include "event/cell_check.hpp"
#include "event/row_batch.hpp"

namespace cdcrt::event {
namespace {

using diagnostics::quote;

constexpr uint32_t kMaxColumns = 1 << 20;

bool has_cells(uint8_t operation) { return operation >= CDCRT_SNAPSHOT && operation <= CDCRT_DELETE; }

class RowCheck {
 public:
  RowCheck(const cdcrt_messages& messages, const RowBatch& rows) : messages_(messages), rows_(rows) {}

  std::optional<RowFault> structure() {
    if (!rows_.fault().empty()) return RowFault{UINT32_MAX, rows_.fault()};
    for (const Reject& reject : rows_.rejects()) {
      if (reject.message >= messages_.count) return of_no_message("a rejection of message " + std::to_string(reject.message));
    }
    uint32_t last_message = 0, last_shape = UINT32_MAX, width = 0;
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      const cdcrt_row& row = rows_.rows()[i];
      if (row.message >= messages_.count)
        return of_no_message("row " + std::to_string(i + 1) + " for message " + std::to_string(row.message));
      if (row.message < last_message) {
        return RowFault{row.message, "row " + std::to_string(i + 1) + " for message " + std::to_string(row.message) +
                                         " after one for message " + std::to_string(last_message) +
                                         ": rows stand in the order of their messages"};
      }
      last_message = row.message;
      if (row.operation < CDCRT_SNAPSHOT || row.operation > CDCRT_MARKER) {
        return of(row, "a row with operation " + std::to_string(row.operation) + ", which is none");
      }
      if (row.operation == CDCRT_MARKER) continue;
      if (row.source_order.data == nullptr && row.source_order.size != 0) return of(row, "a source order at a NULL pointer");
      if (row.shape != last_shape) {
        const Shape* shape = rows_.shapes().find(row.shape);
        if (shape == nullptr) return of(row, "a row with shape " + std::to_string(row.shape) + ", which intern() never gave");
        last_shape = row.shape;
        width = static_cast<uint32_t>(shape->columns.size());
      }
      if (!has_cells(row.operation)) continue;
      if (row.cells == CDCRT_NO_CELLS)
        return of(row, std::string(row.operation == CDCRT_INSERT ? "an " : "a ") + sdk::operation_name(row.operation) + " without cells");
      if (!holds(row.cells, width) || !holds(row.before, width) || !holds(row.other_key, width)) {
        const uint32_t wrong = !holds(row.cells, width) ? row.cells : !holds(row.before, width) ? row.before : row.other_key;
        return of(row, "a row whose " + std::to_string(width) + " cells begin at " + std::to_string(wrong) + ", where there are " +
                           std::to_string(rows_.cell_count()) + " cells");
      }
    }
    bool bad = false;
    const cdcrt_cell* const cells = rows_.cells(0);
    for (uint32_t i = 0; i < rows_.cell_count(); ++i) bad |= is_broken(cells[i]);
    // Cells that no row refers to may hold anything.
    return bad ? first_cell(fault_of_cell) : std::nullopt;
  }

  std::optional<RowFault> values() { return first_cell(fault_of_value); }

 private:
  static RowFault of(const cdcrt_row& row, std::string what) { return {row.message, std::move(what)}; }

  RowFault of_no_message(const std::string& what) const {
    return {UINT32_MAX, what + ", where there are messages 0 to " + std::to_string(messages_.count - 1)};
  }

  [[nodiscard]] bool holds(uint32_t first, uint32_t width) const {
    return first == CDCRT_NO_CELLS || (first <= rows_.cell_count() && width <= rows_.cell_count() - first);
  }

  template <class Judge>
  std::optional<RowFault> first_cell(const Judge& judge) {
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      const cdcrt_row& row = rows_.rows()[i];
      if (!has_cells(row.operation)) continue;
      const Shape& shape = rows_.shapes().get(row.shape);
      for (const uint32_t first : {row.cells, row.before, row.other_key}) {
        if (first == CDCRT_NO_CELLS) continue;
        for (uint32_t c = 0; c < shape.columns.size(); ++c) {
          const std::string wrong = judge(rows_.cells(first)[c]);
          if (!wrong.empty())
            return of(row, "column " + quote(shape.columns[c].name) + " of table " + quote(shape.table) + " with " + wrong);
        }
      }
    }
    return std::nullopt;
  }

  const cdcrt_messages& messages_;
  const RowBatch& rows_;
};

bool is_text(cdcrt_string text) {
  if (text.data == nullptr) return text.size == 0;
  return sdk::is_utf8({text.data, text.size});
}

std::string fault_of(const cdcrt_column& column, uint32_t place) {
  const std::string which = "column " + std::to_string(place + 1);
  // One that is empty comes from an event, and makes its message a dead letter.
  if (column.name.data == nullptr) return which + " without a name";
  if (!is_text(column.name)) return which + " whose name is not UTF-8";
  if (!is_text(column.former_name)) return which + " whose former name is not UTF-8";
  if (column.type.kind > CDCRT_TYPE_INTERVAL || column.type.element > CDCRT_TYPE_INTERVAL) {
    return which + " with type " + std::to_string(column.type.kind > CDCRT_TYPE_INTERVAL ? column.type.kind : column.type.element) +
           ", which is none";
  }
  if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0 && is_broken(column.default_value)) return which + " with a default that is no value";
  return {};
}

}  // namespace

std::string fault_of(const cdcrt_shape& shape) {
  if (shape.table.data == nullptr || shape.table.size == 0) return "a shape without a table";
  for (const cdcrt_string name : {shape.database, shape.schema, shape.table, shape.server}) {
    if (!is_text(name)) return "a shape whose names are not UTF-8";
  }
  const std::string of_table = " in a shape of table " + quote({shape.table.data, shape.table.size});
  if (shape.column_count > kMaxColumns || (shape.column_count > 0 && shape.columns == nullptr)) {
    return std::to_string(shape.column_count) + " columns" + of_table + ", at a NULL pointer";
  }
  std::vector<bool> taken;
  for (uint32_t i = 0; i < shape.column_count; ++i) {
    const cdcrt_column& column = shape.columns[i];
    if (const std::string wrong = fault_of(column, i); !wrong.empty()) return wrong + of_table;
    if (column.key_ordinal == 0) continue;
    if (column.key_ordinal > shape.column_count)
      return "key place " + std::to_string(column.key_ordinal) + of_table + ", which has fewer columns";
    taken.resize(shape.column_count);
    if (taken[column.key_ordinal - 1]) return "key place " + std::to_string(column.key_ordinal) + " twice" + of_table;
    taken[column.key_ordinal - 1] = true;
  }
  return {};
}

std::optional<RowFault> find_fault(const cdcrt_messages& messages, const RowBatch& rows, CheckDepth depth) {
  RowCheck check(messages, rows);
  auto fault = check.structure();
  return fault || depth == CheckDepth::kStructure ? fault : check.values();
}

}  // namespace cdcrt::event
