// RedshiftConnection: one session and its transaction: locks, reads, writes, definitions, staged files.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/sink.hpp"
#include "made_tables.hpp"
#include "settings.hpp"
#include "sql/looks.hpp"
#include "stage_loader.hpp"
#include "staged_files.hpp"
#include "table_write.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

/// One thread at a time. After a failed statement nothing but rollback() reaches the server, so that it never answers 25P02.
class RedshiftConnection final : public sdk::SinkConnection {
 public:
  /// Borrows all of them.
  RedshiftConnection(const Settings& settings, StagingPlace& place, sql::Looks& looks, MadeTables& made, const sdk::Host& host);
  ~RedshiftConnection() override;

  /// Connects; tries staging where no connection of this process has yet.
  sdk::Status open();
  sdk::Status begin() override;
  sdk::Status commit() override;
  sdk::Status rollback() override;
  sdk::Status describe(const cdcrt_table& table, sdk::TableDescription& out) override;
  sdk::Status change(const cdcrt_table& table, const cdcrt_change* changes, uint32_t count) override;
  sdk::Status write(const cdcrt_write& write) override;
  sdk::Status read(const cdcrt_read& read) override;
  sdk::Status lock(const cdcrt_table* tables, uint32_t count) override;
  sdk::Status read_together(const cdcrt_read* reads, uint32_t count) override;
  sdk::Status expect(const cdcrt_table* tables, uint32_t count, bool fresh) override;
  sdk::Status clocks(std::vector<sdk::Clock>& out) override;

 private:
  [[nodiscard]] sdk::Status usable() const;
  sdk::Status failed(sdk::Status status);
  void transaction_ended();
  sdk::Status find_empty(const cdcrt_table* tables, uint32_t count);
  sdk::Status see_empty(const cdcrt_table& table, const std::string& what, bool& is_empty);
  sdk::Status write_once(const cdcrt_write& write);
  sdk::Status write_of_host(const cdcrt_write& write);
  sdk::Status drop_old_stages();
  sdk::Status verify_columns();
  sdk::Status after_write(const cdcrt_write& write, sdk::Status status, const RefusedCopy& refused);
  sdk::Status read_rows(const cdcrt_read& read, const std::string& what);
  sdk::Status join_reads(const cdcrt_read* reads, uint32_t count);
  sdk::Status read_in_parts(const cdcrt_read* reads, uint32_t count);
  sdk::Status host_shape(const cdcrt_read& read, sql::redshift::StageShape& shape);
  /// `columns`: of the read or write.
  sdk::Status known_table(const cdcrt_table& table, const cdcrt_column* columns, uint32_t count, const CatalogTable*& out);
  [[nodiscard]] std::pair<std::string, std::string> place_of(const cdcrt_table& table) const;
  void widen();
  /// Of a column by its shown name; nullptr: it may be tried, for the first time or again.
  const std::string* why_not_widened(const std::string& column);
  [[nodiscard]] std::string key_of(const cdcrt_table& table) const;

  StagingPlace& place_;
  const sdk::Host host_;
  TargetSession session_;
  StagedFiles files_;
  StageLoader loader_;
  sql::Looks& looks_;
  std::map<std::string, sql::Known<CatalogTable>> tables_;  ///< what is known of the catalog; forgotten when it may be old
  MadeTables& made_;
  std::set<std::string> changed_tables_;  ///< in this transaction
  std::set<std::string> made_now_;        ///< likewise: those that were created
  std::set<std::string> empty_;           ///< likewise: nothing is in them, and nothing was written so far
  std::string maybe_empty_;               ///< likewise: a table that was just made, and that nobody has looked into
  CatalogTables expected_;                ///< read for the next description of each
  /// The answer to the last read of the host's tables, as long as the transaction would give it again.
  struct LastRead {
    std::string text;
    std::vector<std::vector<Field>> rows;
  };
  LastRead last_read_;
  CatalogTable host_catalog_;  ///< of the host's table that is read or written now
  TransactionNotes notes_;
  Stages stages_in_use_;
  std::vector<Widening> widenings_;  ///< to be done once no transaction is open
  std::map<std::string, std::pair<std::string, std::chrono::steady_clock::time_point>>
      not_widened_;  ///< why a column could not grow, by its name
  RefusedCopy refused_;
  std::map<std::string, uint32_t> unexplained_;  ///< by table: refused COPYs in a row of which nothing was told
  uint64_t stages_ = 0;
  bool in_transaction_ = false;
  bool is_doubtful_ = false;        ///< BEGIN failed: ROLLBACK tells whether the connection still works
  bool broken_ = false;             ///< the transaction cannot go on: only rollback may follow
  bool over_ = false;               ///< it was rolled back here already
  bool changed_ = false;            ///< the open transaction changed definitions
  bool knows_host_columns_ = true;  ///< the host's tables took all that was written as they are made here
};

}  // namespace cdcrt::redshift
