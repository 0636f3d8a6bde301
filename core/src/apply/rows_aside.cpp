#include "apply/rows_aside.hpp"

#include <utility>

#include "apply/table.hpp"

namespace cdcrt::apply {
namespace {

progress::StoredTable known_of(const Sealed& batch, const std::string& floor) {
  progress::StoredTable known;
  known.columns = batch.columns();
  known.key_known = batch.key_known;
  known.told_keyless = batch.told_keyless;
  known.by_source = batch.by_source;
  known.floor = floor;
  return known;
}

}  // namespace

RowsAside::RowsAside(TableIdentity identity, progress::StoredTable known)
    : identity_(std::move(identity)), fold_(identity_, Folding::kAside) {
  restore(std::move(known));
}

RowsAside::RowsAside(const Sealed& batch, const std::string& floor)
    : identity_(batch.identity->aside()), batch_(&batch), fold_(identity_, Folding::kAside) {
  restore(known_of(batch, floor));
}

void RowsAside::restore(progress::StoredTable known) {
  evolution::keep_columns(known.columns);
  known.progress.clear();
  fold_.restore(known);
}

void RowsAside::begin(progress::Partition& partition, int64_t next_offset, const std::string& order) {
  fold_.restore_progress(fold_.partition(partition, false), next_offset, order);
}

void RowsAside::add(const Decoded& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  if (count == 0) return;
  PartitionFold& into = fold_.partition(batch.partition, false);
  if (!into.takes(0, batch.next_offset)) return;
  into.receive(batch.messages.messages[batch.rows.rows()[rows[0]].message].offset);
  if (fold_.stopped().empty()) fold_.fold(batch, into, rows, count, refused);
}

std::optional<Sealed> RowsAside::take(Table& table) {
  if (!fold_.is_dirty() || !fold_.stopped().empty()) return std::nullopt;
  Sealed sealed;
  fold_.seal(sealed);
  if (sealed.empty()) return std::nullopt;
  sealed.table = &table;
  sealed.identity = &table.identity();
  if (batch_ == nullptr) return sealed;
  sealed.shared_columns = batch_->shared_columns;
  sealed.key = batch_->key;
  sealed.key_known = batch_->key_known;
  sealed.told_keyless = batch_->told_keyless;
  sealed.version = batch_->version;
  return sealed;
}

std::optional<Sealed> fold_alone(const Sealed& batch, progress::Partition& partition, const cdcrt_messages& message,
                                 const event::RowBatch& rows, const std::vector<uint32_t>& indexes, const event::ShapeRegistry& shapes) {
  RowsAside aside(batch);
  aside.add({partition, message, rows, shapes, message.messages[0].offset + 1}, indexes.data(), indexes.size(), [](const Refusal&) {});
  auto sealed = aside.take(*batch.table);
  // What a later change of another partition has overtaken is so event by event.
  if (sealed && batch.in_order) (void)batch.table->keys().order().settle(*sealed);
  return sealed;
}

}  // namespace cdcrt::apply
