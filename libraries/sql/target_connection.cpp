#include "sql/target_connection.hpp"

#include <utility>

#include "sql/identifier.hpp"

namespace cdcrt::sql {

using sdk::Status;

namespace {

// A connection serves many tables; beyond this many statements the least effort is to begin again.
constexpr std::size_t kMaxQueries = 512;

}  // namespace

TargetConnection::~TargetConnection() {
  queries_.clear();
  if (in_transaction_) static_cast<void>(session_->execute("ROLLBACK", Moment::kStatement, "cannot roll back"));
}

Status TargetConnection::usable() const { return sql::usable(broken_); }

Status TargetConnection::swallowed(const cdcrt_table& table, std::string_view what) {
  return Status::unsupported("table " + shown(sdk::view(table.name)) + " of the target does not take everything: " + std::string(what) +
                                 ", and no statement failed. A trigger or a rule of the table swallows them",
                             "drop it, or let it pass what cdcrt writes (it may ask for the user of the connection)");
}

Status TargetConnection::failed(Status status) {
  // The server has given the transaction up, or half of a write is in it.
  drop_queries_ = true;
  is_in_doubt_ = is_in_doubt_ || status.code() != CDCRT_BUSY;
  if (in_transaction_) {
    broken_ = true;
  } else {
    transaction_ended();
  }
  return status;
}

Status TargetConnection::begin() {
  if (in_transaction_) return Status::fatal("a transaction is open already");
  Status status = session_->begin(begin_text(), "cannot begin a transaction");
  is_doubtful_ = !status;
  if (!status) return status;
  in_transaction_ = true;
  broken_ = false;
  return {};
}

Status TargetConnection::commit() {
  if (!in_transaction_) return Status::fatal("there is no transaction to commit");
  Status status = usable();
  if (status) status = before_commit();
  if (!status) return status;
  status = session_->execute("COMMIT", Moment::kCommit, "cannot commit");
  refused_at_commit_ = status.code() == CDCRT_BAD_RECORD;
  if (!status) return failed(std::move(status));
  for (const std::string& table : changed_tables_) looks_.raise(table);
  ended(true);
  transaction_ended();
  return {};
}

Status TargetConnection::savepoint(cdcrt_savepoint action) {
  if (!in_transaction_) return Status::fatal("there is no transaction to set a savepoint in");
  const char* const what = "cannot use a savepoint";
  if (action != CDCRT_SAVEPOINT_ROLL_BACK) {
    Status status = usable();
    if (status && action == CDCRT_SAVEPOINT_RELEASE && refused_at_commit_) status = check_constraints();
    if (status)
      status = session_->execute(action == CDCRT_SAVEPOINT_SET ? "SAVEPOINT cdcrt" : "RELEASE SAVEPOINT cdcrt", Moment::kStatement, what);
    if (!status) return failed(std::move(status));
    has_savepoint_ = action == CDCRT_SAVEPOINT_SET;
    return {};
  }
  if (!has_savepoint_) return Status::fatal("there is no savepoint to go back to");
  // Statements that were prepared before it are the server's no more.
  queries_.clear();
  Status status = session_->execute("ROLLBACK TO SAVEPOINT cdcrt", Moment::kStatement, what);
  if (status) status = session_->execute("RELEASE SAVEPOINT cdcrt", Moment::kStatement, what);
  if (!status) return failed(std::move(status));
  has_savepoint_ = false;
  broken_ = false;
  return {};
}

void TargetConnection::transaction_ended() {
  in_transaction_ = false;
  is_doubtful_ = false;
  has_savepoint_ = false;
  broken_ = false;
  changed_ = false;
  changed_tables_.clear();
  is_in_doubt_ = false;
  const bool failed = drop_queries_;
  drop_queries_ = false;
  if (failed || has_grown_ || queries_.size() >= kMaxQueries) queries_.clear();
  if (!std::exchange(has_grown_, false)) return;
  forget_own();
  // Where this fails the next statement tells, never one of a session that was only half set up.
  if (!session_->reconnect() || !prepare_session()) session_->disconnect();
}

Status TargetConnection::rollback() {
  // Where no statement failed and no definition was changed, what is known of the target is as true as before.
  if (is_in_doubt_ || is_doubtful_ || changed_)
    forget();
  else if (broken_ || drop_queries_)
    forget_own();
  ended(false);
  if (!in_transaction_ && !is_doubtful_) return {};
  Status status = session_->execute("ROLLBACK", Moment::kStatement, "cannot roll back");
  // A driver or engine that rolled back by itself says that there is nothing left to roll back.
  if (!status && status.message().find("no transaction") == std::string_view::npos) return status;
  transaction_ended();
  return {};
}

Query* TargetConnection::prepared(const Statement& statement, std::string_view doing, Status& status) {
  const auto known = queries_.find(statement.text);
  if (known != queries_.end()) return known->second.get();
  auto query = make_query(statement, doing, status);
  if (query == nullptr) return nullptr;
  return queries_.emplace(statement.text, std::move(query)).first->second.get();
}

Status TargetConnection::write(const cdcrt_write& write) {
  Status status = usable();
  if (!status) return status;
  if (write.row_count == 0 && write.kind != CDCRT_WRITE_CLEAR) return {};
  std::vector<uint32_t> columns;
  if (write.kind != CDCRT_WRITE_CLEAR) status = choose_columns(write, columns);
  if (!status) return status;
  const bool own = !in_transaction_;  // a write is whole or nothing
  if (own) status = begin();
  if (status) status = write_rows(write, columns);
  if (!status) {
    status = after_failure(write.table, failed(std::move(status)));
    if (status.code() == CDCRT_BAD_RECORD && write.row_count == 1) status = name_column(write, std::move(status));
    if (own) static_cast<void>(rollback());
    return status;
  }
  return own ? commit() : Status();
}

Status TargetConnection::read(const cdcrt_read& read) {
  Status status = usable();
  if (!status) return status;
  if (read.key_count > 0 && read.key_rows == 0) return {};
  status = read_rows(read);
  if (!status) return after_failure(read.table, failed(std::move(status)));
  return {};
}

Status TargetConnection::read_rows_together(const cdcrt_read* reads, uint32_t count, uint32_t& at) {
  Status status;
  for (uint32_t i = 0; i < count && status; ++i) {
    at = i;
    if (reads[i].key_count == 0 || reads[i].key_rows > 0) status = read_rows(reads[i]);
  }
  return status;
}

Status TargetConnection::read_together(const cdcrt_read* reads, uint32_t count) {
  Status status = usable();
  uint32_t at = 0;
  if (!status) return status;
  status = read_rows_together(reads, count, at);
  if (!status) return after_failure(reads[at].table, failed(std::move(status)));
  return {};
}

Status TargetConnection::describe(const cdcrt_table& table, sdk::TableDescription& out) {
  Status status = usable();
  looks_.raise(key_of(table));
  if (status) status = describe_table(table, out);
  // Another connection may have read it in between, as it was before.
  looks_.raise(key_of(table));
  return status ? Status() : failed(std::move(status));
}

Status TargetConnection::change(const cdcrt_table& table, const cdcrt_change* changes, uint32_t count) {
  Status status = usable();
  if (!status) return status;
  const bool own = !in_transaction_;
  for (int attempt = 0;; ++attempt) {
    forget(table);
    status = Status();
    if (own) status = begin();
    changed_ = true;
    changed_tables_.insert(key_of(table));
    for (uint32_t i = 0; i < count && status; ++i) status = change_once(table, changes[i]);
    forget(table);
    if (status) return own ? commit() : Status();
    status = failed(std::move(status));
    if (!own) return status;
    Status undone = rollback();
    // Two sessions made the same thing at once: the other one's is there now.
    const bool raced = status.sqlstate() == "23505" || status.sqlstate() == "42P07" || status.sqlstate() == "42701" ||
                       status.sqlstate() == "42P06" || status.message().find("already exists") != std::string_view::npos ||
                       status.message().find("duplicate column") != std::string_view::npos;
    if (!raced || !undone || attempt == 2) return status;
  }
}

}  // namespace cdcrt::sql
