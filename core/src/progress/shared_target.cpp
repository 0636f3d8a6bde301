#include "progress/shared_target.hpp"

#include <array>

#include "cdcrt/sdk/status.hpp"
#include "progress/host_tables.hpp"

namespace cdcrt::progress {

// The table's key begins with who writes; it has as many rows as there are targets.
Result<bool> is_shared(plugin::Connection& connection, const Store& store, const std::string& target) {
  struct Context {
    const Store* store;
    bool found = false;
  } context{&store};
  std::array<cdcrt_column, 3> columns{};
  const std::array<Place, 3> places{kTables.target, kTables.pipeline, kTables.sink};
  for (std::size_t i = 0; i < places.size(); ++i) {
    columns[i].name = sdk::borrow(kTables.columns[places[i]].name);
    columns[i].type.kind = kTables.columns[places[i]].kind;
  }
  const cdcrt_cell key = text(target);
  std::string storage;
  cdcrt_read read{};
  read.size = sizeof read;
  read.table = store.own_table(kTables.name, storage);
  read.columns = columns.data();
  read.column_count = columns.size();
  read.key_count = 1;
  read.keys = &key;
  read.key_rows = 1;
  read.context = &context;
  read.visit = [](void* opaque, const cdcrt_cell* cells) {
    Context& told = *static_cast<Context*>(opaque);
    const Row row(cells);
    told.found = told.found || row.text(1) != told.store->pipeline() || row.text(2) != told.store->sink();
    return 0;
  };
  if (auto done = connection.read(read); !done) return std::move(done.error());
  return context.found;
}

}  // namespace cdcrt::progress
