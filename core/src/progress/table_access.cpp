#include "progress/table_access.hpp"

#include "cdcrt/sdk/status.hpp"
#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::size_t kReadsAtOnce = 200;  // in one statement

}  // namespace

Result<void> in_transaction(plugin::Connection& connection, const Body& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  if (auto done = body(); !done) {
    (void)connection.rollback();
    return done;
  }
  auto committed = connection.commit();
  if (!committed) (void)connection.rollback();  // one that a lock kept from ending is still open
  return committed;
}

Result<void> in_reading_transaction(plugin::Connection& connection, const Body& body) {
  if (auto begun = connection.begin(); !begun) return begun;
  auto done = body();
  auto ended = connection.rollback();
  return done ? std::move(ended) : std::move(done);
}

cdcrt_table TableAccess::name_of(std::string_view name, std::string& storage) const {
  if (has_schemas_) return {sdk::borrow(schema_), sdk::borrow(name)};
  storage = shown_name(name);
  return {{nullptr, 0}, sdk::borrow(storage)};
}

std::string TableAccess::shown_name(std::string_view name) const { return schema_ + (has_schemas_ ? "." : "_") + std::string(name); }

Rows::New TableAccess::add(Rows& rows) const {
  auto row = rows.add();
  row[0] = text(pipeline_);
  row[1] = text(sink_);
  return row;
}

Result<void> TableAccess::write(plugin::Connection& connection, const Rows& rows, cdcrt_write_kind kind, bool is_direct) const {
  if (rows.cells().empty()) return {};
  const auto columns = columns_of(rows.table(), rows.width());
  std::string storage;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = kind;
  write.table = name_of(rows.table().name, storage);
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.has_unique_key = 1;
  write.cells = rows.cells().data();
  write.row_count = rows.cells().size() / columns.size();
  write.is_direct = is_direct ? 1 : 0;
  return connection.write(write);
}

Result<void> TableAccess::read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock, const Visit& visit,
                               const Keys& keys, uint64_t max_rows) const {
  Reads one(*this);
  one.add(table, visit, keys, max_rows);
  if (one.reads_.empty()) return {};
  cdcrt_read& read = one.reads_.front().read;
  read.lock = static_cast<uint32_t>(lock);
  return connection.read(read);
}

Result<void> TableAccess::read_every_row(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock,
                                         const Visit& visit) const {
  const auto columns = columns_of(table);
  std::string storage;
  Visit each = visit;
  cdcrt_read read{};
  read.size = sizeof read;
  read.lock = static_cast<uint32_t>(lock);
  read.table = name_of(table.name, storage);
  read.columns = columns.data();
  read.column_count = static_cast<uint32_t>(columns.size());
  read.visit = [](void* context, const cdcrt_cell* cells) {
    (*static_cast<const Visit*>(context))(Row(cells));
    return 0;
  };
  read.context = &each;
  return connection.read(read);
}

void Reads::add(const HostTable& table, Visit visit) { add(table, std::move(visit), Keys()); }

void Reads::add(const HostTable& table, Visit visit, const Keys& keys, uint64_t max_rows) {
  if (keys.columns > 0 && keys.cells.empty()) return;
  One& one = reads_.emplace_back();
  one.table = table;
  one.columns = columns_of(one.table);
  one.visit = std::move(visit);
  const auto begin_key = [&] { one.keys.insert(one.keys.end(), {text(access_.pipeline()), text(access_.sink())}); };
  if (keys.columns == 0) begin_key();
  for (std::size_t first = 0; keys.columns > 0 && first < keys.cells.size(); first += keys.columns) {
    begin_key();
    const auto cells = keys.cells.begin() + static_cast<std::ptrdiff_t>(first);
    one.keys.insert(one.keys.end(), cells, cells + static_cast<std::ptrdiff_t>(keys.columns));
  }
  cdcrt_read& read = one.read;
  read.size = sizeof read;
  read.lock = CDCRT_LOCK_NONE;
  read.table = access_.name_of(one.table.name, one.storage);
  read.columns = one.columns.data();
  read.column_count = static_cast<uint32_t>(one.columns.size());
  read.key_count = static_cast<uint32_t>(2 + keys.columns);
  read.keys = one.keys.data();
  read.key_rows = one.keys.size() / read.key_count;
  read.visit = [](void* context, const cdcrt_cell* cells) {
    (*static_cast<const Visit*>(context))(Row(cells));
    return 0;
  };
  read.context = &one.visit;
  read.max_rows = max_rows;
}

Result<void> Reads::run(plugin::Connection& connection) {
  std::vector<cdcrt_read> reads;
  for (auto one = reads_.begin(); one != reads_.end();) {
    reads.push_back(one->read);
    if (++one != reads_.end() && reads.size() < kReadsAtOnce) continue;
    if (auto done = connection.read_together(reads); !done) return done;
    reads.clear();
  }
  return {};
}

Result<void> TableAccess::forget(plugin::Connection& connection, const HostTable& table, const std::string& target) const {
  HostTable as_small = table;  // one statement is enough, however many rows there are
  as_small.is_large = false;
  const std::vector<cdcrt_cell> key{text(pipeline_), text(sink_), text(target)};
  const auto columns = columns_of(as_small, key.size());
  std::string storage;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_DELETE;
  write.table = name_of(table.name, storage);
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.cells = key.data();
  write.row_count = 1;
  write.is_direct = 1;
  return connection.write(write);
}

Result<void> TableAccess::create(plugin::Connection& connection, const HostTable& table) const {
  std::string storage;
  const auto columns = columns_of(table);
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = columns.data();
  change.column_count = static_cast<uint32_t>(columns.size());
  return connection.change(name_of(table.name, storage), {change});
}

Result<void> TableAccess::lock(plugin::Connection& connection, const std::vector<HostTable>& tables) const {
  std::vector<std::string> storage(tables.size());
  std::vector<cdcrt_table> names;
  for (std::size_t i = 0; i < tables.size(); ++i) names.push_back(name_of(tables[i].name, storage[i]));
  return names.empty() ? Result<void>() : connection.lock(names);
}

Result<int64_t> TableAccess::format_version(plugin::Connection& connection, cdcrt_lock lock) const {
  const auto columns = columns_of(kFormat);
  const cdcrt_cell component = text("progress");
  std::string storage;
  int64_t version = 0;
  cdcrt_read read{};
  read.size = sizeof read;
  read.lock = static_cast<uint32_t>(lock);
  read.table = name_of(kFormat.name, storage);
  read.columns = columns.data();
  read.column_count = static_cast<uint32_t>(columns.size());
  read.key_count = 1;
  read.keys = &component;
  read.key_rows = 1;
  read.visit = [](void* context, const cdcrt_cell* cells) {
    *static_cast<int64_t*>(context) = Row(cells).integer(kFormat.format_version);
    return 0;
  };
  read.context = &version;
  if (auto done = connection.read(read); !done) return std::move(done.error());
  return version;
}

}  // namespace cdcrt::progress
