#include "postgresql/refused_column.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "postgresql/session.hpp"
#include "postgresql/value.hpp"
#include "sql/identifier.hpp"
#include "sql/postgresql_array.hpp"

namespace cdcrt::postgresql {

using sdk::Status;

Status name_refused_column(sql::Session& session, const CatalogTable& catalog, const cdcrt_write& write, Status status,
                           const std::function<Status()>& back) {
  std::string native;
  for (uint32_t i = 0; i < write.column_count; ++i) {
    const std::string_view name = sdk::view(write.columns[i].name);
    const auto found =
        std::find_if(catalog.columns.begin(), catalog.columns.end(), [&](const CatalogColumn& column) { return column.name == name; });
    cdcrt_cell cell = write.cells[i];
    uint64_t ignored = 0;
    sql::PostgresqlArray value;
    value.clear();
    if (found == catalog.columns.end() || found->generated || cell.tag <= CDCRT_NULL || found->is_array) continue;
    if (!to_native(*found, write.columns[i], cell, native, ignored) || !value.add(cell, write.columns[i])) continue;
    std::string answered;
    bool null = false;
    const std::string type = found->base_type == "money" ? "numeric" : found->cast;
    if (!back()) return status;
    Status alone = answer(session, "SELECT (?::" + type + "[])[1]::" + found->type + "::text", {value.finish()}, answered, null,
                          "the value of column " + sql::shown(name) + " is refused");
    if (!alone && alone.sqlstate() == status.sqlstate()) {
      return Status::bad_record(std::string(alone.message()) + " (table " + sql::shown(sdk::view(write.table.name)) + ")",
                                std::string(status.hint()))
          .with_native(status.native(), std::string(status.sqlstate()));
    }
  }
  return status;
}

}  // namespace cdcrt::postgresql
