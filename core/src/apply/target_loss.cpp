#include "apply/target_loss.hpp"

#include <algorithm>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::apply {
namespace {

std::string rewind_command(const std::string& target) { return "cdcrt progress rewind --table " + target + " --to earliest --empty"; }
std::string resume_command(const std::string& target) { return "cdcrt table resume " + target; }

}  // namespace

Expected::Expected(const Sealed& sealed) {
  const TargetDefinition& target = sealed.table->definition();
  for (const auto& column : sealed.columns()) {
    const auto* const kept = target.find(column.target_name);
    if (kept == nullptr || !column.active || kept->incarnation != column.incarnation) continue;
    table_ = true;
    // Of the target's own columns it is not known whether they were there or were left out; without its key no table is itself.
    if (!kept->adopted || column.key_ordinal > 0) columns_.push_back(column.target_name);
  }
}

std::optional<Error> Expected::lost(const Sealed& sealed) const {
  const TargetDefinition& target = sealed.table->definition();
  const std::string name = sealed.table->identity().target();
  if (!target.exists()) {
    if (!table_) return std::nullopt;
    return make_error(CDCRT_UNSUPPORTED,
                      "table '" + name + "' is not in the target any more, though rows were applied to it: it was dropped or renamed",
                      "give it its name back; or make it anew with all that the log has: " + rewind_command(name) +
                          "; or go on without the rows that it had: " + resume_command(name));
  }
  std::string gone;
  std::size_t count = 0;
  for (const auto& column : columns_) {
    if (std::find(target.names().begin(), target.names().end(), column) != target.names().end()) continue;
    gone += (gone.empty() ? "'" : ", '") + column + "'";
    ++count;
  }
  if (count == 0) return std::nullopt;
  return make_error(CDCRT_UNSUPPORTED,
                    (count == 1 ? "column " : "columns ") + gone + " of table '" + name + "' " + (count == 1 ? "is" : "are") +
                        " not in the target any more: dropped or renamed there, not at the source",
                    "give " + std::string(count == 1 ? "it its name" : "them their names") +
                        " back; or read the table again: " + rewind_command(name) + "; or have " + (count == 1 ? "it" : "them") +
                        " added again, empty in the rows that are there: " + resume_command(name) +
                        "; to do without: exclude in the route's columns");
}

Result<void> refuse_unknown_rows(plugin::Connection& connection, const Sealed& sealed, const cdcrt_column& any_column) {
  const auto& identity = sealed.table->identity();
  if (identity.route.mode != route::Mode::kAppend && !sealed.key.empty()) return {};
  bool any = false;
  cdcrt_read read{};
  read.size = sizeof read;
  read.table = sealed.table->abi();
  read.columns = &any_column;
  read.column_count = 1;
  read.visit = [](void* context, const cdcrt_cell*) {
    *static_cast<bool*>(context) = true;
    return 1;
  };
  read.context = &any;
  read.max_rows = 1;
  if (auto done = connection.read(read); !done) return done;
  if (!any) return {};
  const std::string name = identity.target();
  return make_error(
      CDCRT_UNSUPPORTED,
      "table '" + name + "' has rows, but no progress is kept of it: what is read now would be added to them, perhaps a second time",
      "if the tables in which cdcrt keeps its progress were dropped, restore them; or empty the table and read it from the beginning: " +
          rewind_command(name) + "; or add to the rows that are there: " + resume_command(name));
}

}  // namespace cdcrt::apply
