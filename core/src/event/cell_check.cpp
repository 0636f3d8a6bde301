#include "event/cell_check.hpp"

#include <string_view>

#include "cdcrt/sdk/value_check.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::event {

std::string fault_of_cell(const cdcrt_cell& cell) {
  if (!is_broken(cell)) return {};
  if (cell.tag > CDCRT_INTERVAL) return "tag " + std::to_string(cell.tag) + ", which is none";
  return std::to_string(cell.size) + " bytes at a NULL pointer";
}

std::string fault_of_value(const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_BOOL) return cell.value.natural > 1 ? "the boolean " + std::to_string(cell.value.integer) : std::string();
  if (cell.tag != CDCRT_DECIMAL && cell.tag < CDCRT_STRING) return {};
  const std::string_view text = cell.size == 0 ? std::string_view() : std::string_view(cell.value.data, cell.size);
  const char* const promised = sdk::unmet_promise(static_cast<cdcrt_tag>(cell.tag), text);
  return promised == nullptr ? std::string() : diagnostics::quote(text) + ", which is no " + promised;
}

}  // namespace cdcrt::event
