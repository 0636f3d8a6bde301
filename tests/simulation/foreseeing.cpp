#include "simulation/foreseeing.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "event/arena.hpp"
#include "postgresql/awaited_later.hpp"
#include "simulation/schedule_state.hpp"
#include "types/convert.hpp"

namespace cdcrt::simulation {
namespace {

using sdk::Status;

std::string key_of(const cdcrt_table& table) { return std::string(sdk::view(table.schema)) + "." + std::string(sdk::view(table.name)); }

bool is_of_host(const cdcrt_column* columns, uint32_t count) {
  return std::all_of(columns, columns + count, [](const cdcrt_column& column) { return (column.flags & CDCRT_COLUMN_OF_HOST) != 0; });
}

/// Columns and cells of a call that outlive it.
class Kept {
 public:
  cdcrt_string keep(cdcrt_string text) {
    if (text.data == nullptr) return text;
    return sdk::borrow(texts_.emplace_back(sdk::view(text)));
  }
  cdcrt_cell keep(cdcrt_cell cell) {
    if (cell.tag != CDCRT_DECIMAL && cell.tag < CDCRT_STRING) return cell;
    cell.value.data = texts_.emplace_back(cell.value.data, cell.size).data();
    return cell;
  }
  const cdcrt_column* keep(const cdcrt_column* columns, uint32_t count) {
    columns_.assign(columns, columns + count);
    for (cdcrt_column& each : columns_) {
      each.name = keep(each.name);
      each.default_value = keep(each.default_value);
      each.target_type = keep(each.target_type);
      each.former_name = keep(each.former_name);
    }
    return columns_.data();
  }
  const cdcrt_cell* keep(const cdcrt_cell* cells, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) cells_.push_back(keep(cells[i]));
    return cells_.data();
  }

 private:
  std::deque<std::string> texts_;
  std::vector<cdcrt_column> columns_;
  std::vector<cdcrt_cell> cells_;
};

/// Calls `each` with the texts of every row that is read.
Status read_texts(sdk::SinkConnection& target, cdcrt_read read,
                  const std::function<void(const cdcrt_cell* cells, postgresql::Foreseen::Row row)>& each) {
  struct Context {
    uint32_t columns;
    decltype(each) visit;
  } context{read.column_count, each};
  read.context = &context;
  read.visit = [](void* self, const cdcrt_cell* cells) {
    const auto& own = *static_cast<Context*>(self);
    postgresql::Foreseen::Row row;
    for (uint32_t i = 0; i < own.columns; ++i) {
      std::string text;
      types::append_text(text, cells[i]);
      row.whole += std::to_string(text.size()) + ":" + text;
      row.texts.emplace_back(std::move(text));
    }
    own.visit(cells, std::move(row));
    return 0;
  };
  return target.read(read);
}

class Foreseeing final : public sdk::SinkConnection {
 public:
  Foreseeing(std::unique_ptr<sdk::SinkConnection> target, ForeseeingShared& shared)
      : target_(std::move(target)), foreseen_(&shared.rows), answers_(&shared.answers) {}

  Status begin() override {
    if (target_ == nullptr) return lost();
    Status status = target_->begin();
    is_open_ = status.ok();
    return status;
  }
  Status commit() override {
    if (target_ != nullptr && !left_.empty() && goes_wrong(character().lost_commits)) return commit_late();
    Status status = do_now();
    if (status) status = target_->commit();
    is_open_ = false;
    if (!status) return status;
    travels_ = true;
    end(true);
    return status;
  }
  Status rollback() override {
    left_.clear();
    is_aborted_ = is_open_ = false;
    end(false);
    return target_ == nullptr ? lost() : target_->rollback();
  }
  Status describe(const cdcrt_table& table, sdk::TableDescription& out) override {
    Status status = do_now();
    return status ? target_->describe(table, out) : std::move(status);
  }
  Status change(const cdcrt_table& table, const cdcrt_change* changes, uint32_t count) override {
    Status status = do_now();
    return status ? target_->change(table, changes, count) : std::move(status);
  }
  Status lock(const cdcrt_table* tables, uint32_t count) override {
    Status status = do_now();
    return status ? target_->lock(tables, count) : std::move(status);
  }
  Status expect(const cdcrt_table* tables, uint32_t count, bool fresh) override {
    for (uint32_t i = 0; i < count && !fresh; ++i) answers_.expect(key_of(tables[i]));
    return {};
  }

  Status read(const cdcrt_read& read) override {
    const std::string table = key_of(read.table);
    const bool suits = is_open_ && foreseen_.suits(table, read);
    if (suits && travels_) {
      if (const auto rows = foreseen_.find(table, {}, read); !rows.empty()) {
        foreseen_.told(table);
        tell(read, rows);
        prove_later(read, rows);
        return {};
      }
    }
    Status status = do_now();
    if (!status || !suits) return status ? target_->read(read) : std::move(status);
    foreseen_.begin_learning(table);
    bool goes_on = true;
    return read_texts(*target_, read, [&](const cdcrt_cell* cells, postgresql::Foreseen::Row row) {
      foreseen_.learn(table, {}, cells, read.key_count, std::move(row));
      goes_on = goes_on && read.visit(read.context, cells) == 0;
    });
  }

  Status write(const cdcrt_write& write) override {
    const std::string table = key_of(write.table);
    const bool of_host = is_of_host(write.columns, write.column_count);
    if (of_host) foreseen_.changes(table);
    const bool has_key = write.has_unique_key != 0 && write.kind != CDCRT_WRITE_REMOVE && write.kind != CDCRT_WRITE_CLEAR;
    const bool suits = of_host ? write.kind == CDCRT_WRITE_UPSERT : (has_key || write.kind == CDCRT_WRITE_APPEND);
    if (is_open_ && travels_ && suits && (of_host || answers_.may_wait(table))) {
      if (!of_host) answers_.left(table);
      write_later(write, of_host ? CDCRT_BUSY : CDCRT_STALE_SCHEMA);
      return {};
    }
    Status status = do_now();
    return status ? target_->write(write) : std::move(status);
  }

 private:
  struct Left {
    cdcrt_code failure;
    std::function<Status(sdk::SinkConnection& target)> run;
  };

  static Status lost() { return Status::retry("connection lost"); }

  // All of it was sent, and is on its way for long: the transaction begins when the host has given it up, and perhaps done it again.
  Status commit_late() {
    CDCRT_TRACE("target: COMMIT and what was left: the answer is lost, all of it happens later");
    std::shared_ptr<sdk::SinkConnection> sent = std::move(target_);
    scheduler().spawn(scheduler().process(), [sent, left = std::exchange(left_, {})]() mutable {
      scheduler().sleep(random().below(3 * kSecond));
      const auto target = std::exchange(sent, nullptr);  // closed as this ends
      for (const Left& each : left) {
        if (Status status = each.run(*target); !status) {
          CDCRT_TRACE("target: what came late failed: " + std::string(status.message()));
          static_cast<void>(target->rollback());
          return;
        }
      }
      static_cast<void>(target->commit());
    });
    return Status::retry("the answer to COMMIT was lost");
  }

  static void tell(const cdcrt_read& read, const std::vector<postgresql::Foreseen::Found>& rows) {
    event::Arena arena{1 << 10};
    for (const auto& row : rows) {
      std::vector<cdcrt_cell> cells;
      for (const auto& text : row->texts) cells.push_back(*types::from_text(*text, arena));
      if (read.visit(read.context, cells.data()) != 0) break;
    }
  }

  void prove_later(cdcrt_read read, const std::vector<postgresql::Foreseen::Found>& rows) {
    auto kept = std::make_shared<Kept>();
    read.table = {kept->keep(read.table.schema), kept->keep(read.table.name)};
    read.columns = kept->keep(read.columns, read.column_count);
    read.keys = kept->keep(read.keys, read.key_rows * read.key_count);
    left_.push_back({CDCRT_BUSY, [kept, read, whole = postgresql::ForeseenReads::whole(rows)](sdk::SinkConnection& target) -> Status {
                       std::vector<postgresql::Foreseen::Found> now;
                       Status status = read_texts(target, read, [&](const cdcrt_cell*, postgresql::Foreseen::Row row) {
                         now.push_back(std::make_shared<const postgresql::Foreseen::Row>(std::move(row)));
                       });
                       if (!status || postgresql::ForeseenReads::whole(now) == whole) return status;
                       return Status::unsupported("foreseen wrongly");
                     }});
  }

  void write_later(cdcrt_write write, cdcrt_code failure) {
    auto kept = std::make_shared<Kept>();
    write.table = {kept->keep(write.table.schema), kept->keep(write.table.name)};
    write.columns = kept->keep(write.columns, write.column_count);
    write.cells = kept->keep(write.cells, write.row_count * write.column_count);
    if (write.operations != nullptr) fail("operations of a sink that takes no events");
    write.missing = [](void* context, uint64_t) { *static_cast<bool*>(context) = true; };
    write.overflowed = nullptr;
    left_.push_back({failure, [kept, write](sdk::SinkConnection& target) mutable -> Status {
                       bool is_any_missing = false;
                       write.context = &is_any_missing;
                       Status status = target.write(write);
                       return status && is_any_missing ? Status::unsupported("a row is missing") : std::move(status);
                     }});
  }

  // What failed is told as what was agreed, whatever it was, and everything is waited for until the next COMMIT.
  Status do_now() {
    if (target_ == nullptr) return lost();
    if (is_aborted_) fail("a transaction goes on after what was left of it failed");
    for (Left& each : std::exchange(left_, {})) {
      Status status = each.run(*target_);
      if (status) continue;
      travels_ = false;
      is_aborted_ = true;
      const bool is_own = status.code() == CDCRT_RETRY || status.code() == CDCRT_BUSY || status.code() == CDCRT_UNREACHABLE;
      CDCRT_TRACE("target: what was left failed: " + std::string(status.message()));
      return is_own ? std::move(status) : Status::error(each.failure, std::string(status.message()));
    }
    return {};
  }

  void end(bool is_committed) {
    foreseen_.end(is_committed);
    answers_.end(is_committed);
  }

  std::unique_ptr<sdk::SinkConnection> target_;
  postgresql::ForeseenReads foreseen_;
  postgresql::AwaitedLater answers_;
  std::vector<Left> left_;
  bool travels_ = false;  // since a COMMIT nothing that was left failed
  bool is_open_ = false, is_aborted_ = false;
};

}  // namespace

std::unique_ptr<sdk::SinkConnection> make_foreseeing(std::unique_ptr<sdk::SinkConnection> target, ForeseeingShared& shared) {
  return std::make_unique<Foreseeing>(std::move(target), shared);
}

}  // namespace cdcrt::simulation
