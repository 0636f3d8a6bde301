// TableAccess: reads and writes the host's own tables of one pipeline and sink in a target.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/result.hpp"
#include "plugin/instance.hpp"
#include "progress/host_table.hpp"

namespace cdcrt::progress {

using Visit = std::function<void(const Row& row)>;

class TableAccess {
 public:
  TableAccess(std::string pipeline, std::string sink, std::string schema, bool has_schemas)
      : pipeline_(std::move(pipeline)), sink_(std::move(sink)), schema_(std::move(schema)), has_schemas_(has_schemas) {}

  [[nodiscard]] const std::string& pipeline() const { return pipeline_; }
  [[nodiscard]] const std::string& sink() const { return sink_; }
  [[nodiscard]] const std::string& schema() const { return schema_; }
  /// May borrow from `name` and `storage`.
  [[nodiscard]] cdcrt_table name_of(std::string_view name, std::string& storage) const;
  /// The same for people.
  [[nodiscard]] std::string shown_name(std::string_view name) const;

  /// A new row, with this pipeline and sink already set.
  [[nodiscard]] Rows::New add(Rows& rows) const;
  Result<void> write(plugin::Connection& connection, const Rows& rows, cdcrt_write_kind kind = CDCRT_WRITE_UPSERT,
                     bool is_direct = true) const;
  /// No keys: everything of the pipeline and sink.
  Result<void> read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock, const Visit& visit, const Keys& keys = {},
                    uint64_t max_rows = 0) const;
  /// Of all pipelines and sinks.
  Result<void> read_every_row(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock, const Visit& visit) const;
  /// Every row of the target, which is the third part of the table's key.
  Result<void> forget(plugin::Connection& connection, const HostTable& table, const std::string& target) const;
  Result<void> create(plugin::Connection& connection, const HostTable& table) const;
  /// In one statement.
  Result<void> lock(plugin::Connection& connection, const std::vector<HostTable>& tables) const;
  /// 0: nothing is kept.
  Result<int64_t> format_version(plugin::Connection& connection, cdcrt_lock lock) const;

 private:
  const std::string pipeline_, sink_, schema_;
  const bool has_schemas_;
};

/// Rows of a table, and keys of rows to be deleted.
inline Rows rows_of(const HostTable& table) { return {table, table.columns.size()}; }
inline Rows keys_of_rows(const HostTable& table) { return {table, table.key_count}; }

/// Reads without locks that are carried out together, where the sink can. What the keys borrow must outlive run().
class Reads {
 public:
  explicit Reads(const TableAccess& access) : access_(access) {}
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;
  /// As TableAccess::read.
  void add(const HostTable& table, Visit visit);
  /// Of these keys; none: nothing.
  void add(const HostTable& table, Visit visit, const Keys& keys, uint64_t max_rows = 0);
  Result<void> run(plugin::Connection& connection);

 private:
  friend class TableAccess;
  struct One {
    HostTable table;
    std::string storage;
    std::vector<cdcrt_column> columns;
    std::vector<cdcrt_cell> keys;
    Visit visit;
    cdcrt_read read{};
  };
  std::deque<One> reads_;  // stable: what is read borrows from it
  const TableAccess& access_;
};

using AddReads = std::function<void(Reads& reads)>;
using Body = std::function<Result<void>()>;

/// `body` in a transaction of its own: committed, or taken back where it fails.
Result<void> in_transaction(plugin::Connection& connection, const Body& body);
/// For what only reads, or only waits for a lock: nothing has to be committed.
Result<void> in_reading_transaction(plugin::Connection& connection, const Body& body);

}  // namespace cdcrt::progress
