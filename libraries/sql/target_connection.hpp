// TargetConnection: what the connections of all dialects share: transactions, statements that are kept, doubt after an error.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "cdcrt/sdk/sink.hpp"
#include "sql/dialect.hpp"
#include "sql/looks.hpp"
#include "sql/session.hpp"
#include "sql/transaction_text.hpp"
#include "sql/write_columns.hpp"

namespace cdcrt::sql {

class TargetConnection : public sdk::SinkConnection {
 public:
  TargetConnection(std::unique_ptr<Session> session, const Dialect& dialect, Looks& looks)
      : session_(std::move(session)), dialect_(dialect), looks_(looks) {}
  ~TargetConnection() override;

  /// Session settings that the rest relies on. Called once, after connecting.
  virtual sdk::Status prepare_session() = 0;
  sdk::Status begin() final;
  sdk::Status commit() final;
  sdk::Status rollback() final;
  sdk::Status savepoint(cdcrt_savepoint action) final;
  sdk::Status describe(const cdcrt_table& table, sdk::TableDescription& out) final;
  sdk::Status write(const cdcrt_write& write) final;
  sdk::Status read(const cdcrt_read& read) final;
  sdk::Status read_together(const cdcrt_read* reads, uint32_t count) final;
  sdk::Status change(const cdcrt_table& table, const cdcrt_change* changes, uint32_t count) final;

 protected:
  virtual std::string_view begin_text() const = 0;
  virtual sdk::Status describe_table(const cdcrt_table& table, sdk::TableDescription& out) = 0;
  virtual sdk::Status write_rows(const cdcrt_write& write, const std::vector<uint32_t>& columns) = 0;
  virtual sdk::Status read_rows(const cdcrt_read& read) = 0;
  /// `at`: the read that failed.
  virtual sdk::Status read_rows_together(const cdcrt_read* reads, uint32_t count, uint32_t& at);
  virtual sdk::Status change_once(const cdcrt_table& table, const cdcrt_change& change) = 0;
  /// A statement failed: what is known of the catalog may be old.
  virtual sdk::Status after_failure(const cdcrt_table& table, sdk::Status status) = 0;
  /// A row was refused, and its transaction is over: the same error, naming the column where that can be found out.
  virtual sdk::Status name_column(const cdcrt_write& /*write*/, sdk::Status status) { return status; }
  /// What a failure left in doubt is made sure of. Not OK: the transaction must not commit.
  virtual sdk::Status before_commit() { return {}; }
  /// Constraints that wait for COMMIT are checked now: what is refused there has no row.
  virtual sdk::Status check_constraints() { return {}; }
  /// nullptr with `status` when that failed.
  virtual std::unique_ptr<Query> make_query(const Statement& statement, std::string_view what, sdk::Status& status) = 0;
  /// What is known of the catalog is old.
  virtual void forget() = 0;
  /// What this connection knows is left behind, though nothing says that it is old.
  virtual void forget_own() { forget(); }
  /// What is known of this table is old; of the others it stays.
  virtual void forget(const cdcrt_table& table) = 0;
  /// The transaction is over, or was never begun.
  virtual void ended(bool /*is_committed*/) {}
  /// A table as the connections of a sink know it.
  [[nodiscard]] virtual std::string key_of(const cdcrt_table& table) const = 0;
  [[nodiscard]] bool is_in_transaction() const { return in_transaction_; }
  /// In the open transaction, by that name.
  [[nodiscard]] bool has_changed(const std::string& table) const { return changed_tables_.count(table) > 0; }

  /// Prepared once per text and kept; nullptr with `status` when that failed.
  Query* prepared(const Statement& statement, std::string_view doing, sdk::Status& status);
  sdk::Status execute(std::string_view text, Moment moment, std::string_view doing) { return session_->execute(text, moment, doing); }
  /// Of a write that the table does not show, though no statement of it failed.
  static sdk::Status swallowed(const cdcrt_table& table, std::string_view what);

  std::unique_ptr<Session> session_;
  const Dialect& dialect_;
  Looks& looks_;
  bool changed_ = false;  // the open transaction changed definitions
  bool has_savepoint_ = false;
  bool has_grown_ = false;  // the driver keeps buffers as large as a value was: the session begins anew after the transaction

 private:
  sdk::Status usable() const;
  sdk::Status failed(sdk::Status status);
  void transaction_ended();

  std::unordered_map<std::string, std::unique_ptr<Query>> queries_;
  std::set<std::string> changed_tables_;  // in this transaction
  bool drop_queries_ = false;             // at the end of the transaction
  bool is_in_doubt_ = false;              // a statement failed in it for what may be another definition
  bool in_transaction_ = false;
  bool refused_at_commit_ = false;  // since the last COMMIT that went through
  bool is_doubtful_ = false;        // BEGIN failed: ROLLBACK tells whether the connection still works
  bool broken_ = false;             // the transaction cannot go on: only rollback may follow
};

}  // namespace cdcrt::sql
