#include "apply/fold_alone.hpp"

#include "apply/table.hpp"

namespace cdcrt::apply {

std::optional<Sealed> fold_alone(const Sealed& batch, const progress::Partition& partition, const cdcrt_messages& message,
                                 const event::RowBatch& rows, const std::vector<uint32_t>& indexes, const event::ShapeRegistry& shapes) {
  progress::Partition alone(partition.source(), partition.topic(), partition.number(), [](auto&, auto, auto) {});
  Table probe(batch.table->identity().aside());
  progress::StoredTable known;
  known.columns = batch.columns;
  evolution::keep_columns(known.columns);
  known.key_known = batch.key_known;
  known.by_source = batch.by_source;
  probe.restore(known);
  cdcrt_messages current = message;
  current.generation = 0;
  probe.accept({alone, current, rows, shapes, current.messages[0].offset + 1}, indexes.data(), indexes.size(),
               [](const Refusal&) {});  // became a dead letter when it was folded first
  auto sealed = probe.seal();
  // What a later change of another partition has overtaken is so event by event.
  if (sealed && batch.in_order) (void)batch.table->target.keys.settle(*sealed);
  return sealed;
}

}  // namespace cdcrt::apply
