// Rows of append-only tables: every change is a row more, known by its place in the log.
#include "apply/row_folder.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

const char* operation_code(uint8_t operation) {
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
    case route::Metadata::kOperation: return text(operation_code(row.operation));
    case route::Metadata::kTopic: return text(partition.topic());
    case route::Metadata::kPartition: return types::integer_cell(CDCRT_I64, partition.number());
    case route::Metadata::kOffset: return types::integer_cell(CDCRT_I64, message.offset);
    case route::Metadata::kKafkaTime: break;
  }
  return message.timestamp_ms < 0 ? types::null_cell() : types::integer_cell(CDCRT_TIMESTAMPTZ, message.timestamp_ms * 1000);
}

}  // namespace

void RowFolder::fold_appended(const Incoming& in, const evolution::ShapeMap& map) {
  const cdcrt_row& row = in.row;
  const int64_t offset = in.offset;
  RowMemory& memory = in.into.memory();
  Fold& fold = in.into.fold();
  Error error;
  converter_.clear();
  converter_.learn(true);
  // What a delete takes away is told by the image before it; its own cells may be no more than the key.
  const uint32_t image = row.operation == CDCRT_DELETE && row.before != CDCRT_NO_CELLS ? row.before : row.cells;
  if (!read_row(in, map, in.cells(image), scratch_, error)) {
    in.refuse("value_refused", std::move(error));
    return;
  }
  for (const auto& [item, slot] : knowledge_.metadata()) {
    scratch_[slot] = value_of(item, row, in.batch.messages.messages[row.message], in.batch.partition);
  }
  memory.append_ordinal = offset == memory.append_offset ? memory.append_ordinal + 1 : 0;
  memory.append_offset = offset;
  key_scratch_.clear();
  types::append_key(key_scratch_, types::integer_cell(CDCRT_I64, offset));
  types::append_key(key_scratch_, types::integer_cell(CDCRT_I64, memory.append_ordinal));
  bool added = false;
  Entry& entry = fold.find_or_add(key_scratch_, offset, added);
  entry.effect = Effect::kAppend;
  entry.copies = 1;
  fold.fill(entry, scratch_);
  if (in.shape.absent_is_null) fold.leave_nulls_out(entry, entry.width);
  fold.counts.add(row.operation);
}

}  // namespace cdcrt::apply
