#include "apply/written.hpp"

#include "apply/open_dead_letters.hpp"
#include "apply/table.hpp"

namespace cdcrt::apply {
namespace {

void take_row(const Sealed& sealed) {
  auto& row = sealed.table->target.row;
  if (sealed.raises_version()) ++row.version;
  take_letters(sealed);
  if (sealed.clear) row.floor = sealed.floor;
}

}  // namespace

void written(Sealed& sealed) {
  take_row(sealed);
  if (sealed.in_order) sealed.table->target.keys.remember(sealed);
  sealed.table->complete(sealed);
}

void written_in_part(const Sealed& portion) {
  take_row(portion);
  portion.table->advance(portion);
}

// What an attempt had found out in its transaction went with that.
void dropped(Sealed& sealed) {
  Table::Target& target = sealed.table->target;
  target.row_known = false;
  sealed.key_changes = target.key_changes;
  sealed.key_changes_moved = false;
  sealed.letters_closed.clear();
  sealed.letters_opened.clear();
  sealed.table->complete(sealed);
}

}  // namespace cdcrt::apply
