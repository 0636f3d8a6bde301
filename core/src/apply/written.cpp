#include "apply/written.hpp"

#include "apply/table.hpp"

namespace cdcrt::apply {
namespace {

void take_row(const Sealed& sealed) {
  sealed.table->kept().take(sealed);
  sealed.table->dead_letters().take(sealed);
}

}  // namespace

void written(Sealed& sealed) {
  take_row(sealed);
  if (sealed.in_order) sealed.table->keys().order().remember(sealed);
  sealed.table->complete(sealed);
}

void written_in_part(const Sealed& portion) {
  take_row(portion);
  portion.table->advance(portion);
}

// What an attempt had found out in its transaction went with that.
void dropped(Sealed& sealed) {
  KeptRow& kept = sealed.table->kept();
  kept.look_again();
  sealed.attempt.key_changes = kept.key_changes();
  sealed.attempt.key_changes_moved = false;
  sealed.attempt.dead_letters_closed.clear();
  sealed.attempt.dead_letters_opened.clear();
  sealed.table->complete(sealed);
}

}  // namespace cdcrt::apply
