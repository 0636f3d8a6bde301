#include "apply/kept_row.hpp"

#include <utility>

#include "apply/sealed.hpp"

namespace cdcrt::apply {

void KeptRow::take(progress::StoredTable row) {
  row_ = std::move(row);
  row_.columns.clear();
  is_known_ = true;
}

void KeptRow::take(const Sealed& sealed) {
  if (sealed.raises_version()) ++row_.version;
  if (sealed.clear) row_.floor = sealed.floor;
}

}  // namespace cdcrt::apply
