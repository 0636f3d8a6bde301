#include "sql/transaction_text.hpp"

#include "sql/identifier.hpp"

namespace cdcrt::sql {

std::string_view verb(uint32_t kind) {
  switch (kind) {
    case CDCRT_WRITE_APPEND: return "append to";
    case CDCRT_WRITE_UPSERT: return "upsert into";
    case CDCRT_WRITE_PATCH: return "update";
    case CDCRT_WRITE_DELETE:
    case CDCRT_WRITE_REMOVE: return "delete from";
    case CDCRT_WRITE_REPLACE: return "replace rows of";
    default: return "clear";
  }
}

std::string doing(std::string_view what, const cdcrt_table& table) {
  std::string text = "cannot " + std::string(what) + " table ";
  if (table.schema.data != nullptr) text += shown(sdk::view(table.schema)) + ".";
  return text + shown(sdk::view(table.name));
}

sdk::Status usable(bool is_broken) {
  if (!is_broken) return {};
  return sdk::Status::retry("an earlier statement of this transaction failed; it must be rolled back first");
}

}  // namespace cdcrt::sql
