// Rows of append-only tables: every change is a row more, known by its place in the log.
#include "apply/table.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

const char* operation_letter(uint8_t operation) {
  switch (operation) {
    case CDCRT_SNAPSHOT: return "r";
    case CDCRT_INSERT: return "c";
    case CDCRT_DELETE: return "d";
    default: return "u";
  }
}

cdcrt_cell text(std::string_view value) { return types::text_cell(CDCRT_STRING, value); }

cdcrt_cell value_of(route::Metadata item, const cdcrt_row& row, const cdcrt_message& message, const progress::Partition& partition) {
  switch (item) {
    case route::Metadata::kOperation: return text(operation_letter(row.operation));
    case route::Metadata::kTopic: return text(partition.topic());
    case route::Metadata::kPartition: return types::integer_cell(CDCRT_I64, partition.number());
    case route::Metadata::kOffset: return types::integer_cell(CDCRT_I64, message.offset);
    case route::Metadata::kKafkaTime: break;
  }
  return message.timestamp_ms < 0 ? types::null_cell() : types::integer_cell(CDCRT_TIMESTAMPTZ, message.timestamp_ms * 1000);
}

}  // namespace

void Table::accept_append(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map,
                          std::vector<Refusal>& refusals) {
  Error error;
  conversion_.clear();
  learns_ = true;
  // What a delete takes away is told by the image before it; its own cells may be no more than the key.
  const uint32_t image = row.operation == CDCRT_DELETE && row.before != CDCRT_NO_CELLS ? row.before : row.cells;
  if (!convert_row(batch.shapes.get(row.shape), map, batch.rows.cells(image), scratch_, error)) {
    refusals.push_back({row.message, "value_refused", std::move(error)});
    return;
  }
  for (const auto& [item, slot] : knowledge_.metadata()) {
    scratch_[slot] = value_of(item, row, batch.messages.messages[row.message], batch.partition);
  }
  state.append_ordinal = offset == state.append_offset ? state.append_ordinal + 1 : 0;
  state.append_offset = offset;
  key_scratch_.clear();
  types::append_key(key_scratch_, types::integer_cell(CDCRT_I64, offset));
  types::append_key(key_scratch_, types::integer_cell(CDCRT_I64, state.append_ordinal));
  bool added = false;
  Entry& entry = state.fold.find_or_add(key_scratch_, offset, added);
  entry.effect = Effect::kAppend;
  entry.copies = 1;
  state.fold.fill(entry, scratch_);
  state.fold.counts.add(row.operation);
}

}  // namespace cdcrt::apply
