// The target behind the sink boundary.
#include <algorithm>
#include <map>

#include "simulation/foreseeing.hpp"
#include "simulation/target.hpp"
#include "simulation/workload.hpp"
#include "types/convert.hpp"

namespace cdcrt::simulation {
namespace {

std::string text_of(const cdcrt_cell& cell) {
  std::string text;
  types::append_text(text, cell);
  return text;
}

std::string null_text() { return text_of(types::null_cell()); }

std::string name_of(const cdcrt_table& table) {
  const std::string schema(sdk::view(table.schema));
  const std::string name(sdk::view(table.name));
  return schema.empty() ? name : schema + "." + name;
}

bool is_own(const std::string& name) { return name.starts_with("cdcrt."); }

std::string or_null(const std::string& text) { return text.empty() ? null_text() : text; }

std::string readable(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 32) {
      shown += "\\" + std::to_string(static_cast<int>(c));
    } else {
      shown += c;
    }
  }
  return shown;
}

const char* const kKinds[] = {"?", "append", "upsert", "patch", "delete", "replace", "remove", "clear"};

class Connection final : public sdk::SinkConnection {
 public:
  explicit Connection(int process) : process_(process) { CDCRT_TRACE(name() + "opened"); }
  ~Connection() override {
    CDCRT_TRACE(name() + "closed");
    notice();
    if (transaction_ != nullptr) target()->disconnect(transaction_);
  }

  sdk::Status begin() override {
    if (auto entered = enter("begin"); !entered) return entered;
    if (transaction_ != nullptr) fail("a transaction is begun inside of one");
    transaction_ = target()->begin(process_);
    CDCRT_TRACE(name() + "begin: transaction " + std::to_string(transaction_->number));
    return {};
  }

  // What was sent goes its own way: the answer may be lost before, after, or long before the target does it.
  sdk::Status commit() override {
    if (auto entered = enter("commit"); !entered) return entered;
    if (transaction_ == nullptr) {
      fail("COMMIT without a transaction");
      return sdk::Status::fatal("no transaction");
    }
    Transaction* transaction = std::exchange(transaction_, nullptr);
    transaction->sent = true;
    const std::string number = std::to_string(transaction->number);
    if (transaction->failed) {
      fail("COMMIT of a transaction that failed");
      return sdk::Status::fatal("the transaction failed");
    }
    if (goes_wrong(character().lost_commits)) {
      broken_ = true;
      const auto dice = random().below(3);
      if (dice == 0) {
        CDCRT_TRACE(name() + "COMMIT " + number + ": lost, rolled back");
        target()->disconnect(transaction);
      } else if (dice == 1) {
        CDCRT_TRACE(name() + "COMMIT " + number + ": done, the answer is lost");
        target()->commit(transaction);
      } else {
        CDCRT_TRACE(name() + "COMMIT " + number + ": the answer is lost, it happens later");
        scheduler().at(scheduler().now() + random().below(3 * kSecond), [transaction, number] {
          CDCRT_TRACE("target: COMMIT " + number + " happens now");
          target()->commit(transaction);
        });
      }
      take_time();
      return sdk::Status::retry("the answer to COMMIT was lost");
    }
    // A process that dies meanwhile has sent it.
    const auto happens = scheduler().now() + random().below(character().latency);
    struct Answer {
      bool done = false;
    };
    auto* answer = new Answer;
    scheduler().at(happens, [transaction, answer, number] {
      CDCRT_TRACE("target: COMMIT " + number);
      target()->commit(transaction);
      answer->done = true;
      scheduler().wake(answer);
    });
    while (!answer->done) scheduler().block(answer, kNever);
    take_time();
    return {};
  }

  sdk::Status rollback() override {
    notice();
    if (transaction_ == nullptr && !broken_) return {};
    CDCRT_TRACE(name() + "rollback");
    if (broken_) return sdk::Status::retry("connection lost");
    Transaction* transaction = std::exchange(transaction_, nullptr);
    target()->roll_back(transaction);
    take_time();
    return {};
  }

  sdk::Status describe(const cdcrt_table& table, sdk::TableDescription& out) override {
    if (auto entered = enter("describe"); !entered) return entered;
    const StoredTable* found = target()->table(name_of(table));
    if (found == nullptr) return {};
    const bool foreign = found->alone != nullptr && found->alone != transaction_;
    if (!(foreign ? found->existed_before : found->exists)) return {};
    out.set_exists(true);
    for (const auto& column : foreign ? found->columns_before : found->columns) {
      out.add(column.name, column.type, "", column.key_ordinal > 0, column.key_ordinal);
    }
    return {};
  }

  sdk::Status change(const cdcrt_table& table, const cdcrt_change* changes, uint32_t count) override {
    const std::string of = name_of(table);
    if (auto entered = enter("change " + of); !entered) return entered;
    if (transaction_ == nullptr) {
      fail("a definition is changed outside of a transaction");
      return sdk::Status::fatal("no transaction");
    }
    target()->look(*transaction_);
    StoredTable& stored = target()->find_or_make(of);
    if (auto used = target()->use_alone(*transaction_, stored); !used) return failed(std::move(used));
    transaction_->altered.insert(&stored);
    for (uint32_t i = 0; i < count; ++i) {
      const cdcrt_change& change = changes[i];
      if (change.kind == CDCRT_CREATE_TABLE) {
        if (stored.exists) continue;
        stored.exists = true;
        stored.columns.clear();
        for (uint32_t c = 0; c < change.column_count; ++c) add(stored, change.columns[c]);
        continue;
      }
      if (!stored.exists) return failed(sdk::Status::error(CDCRT_STALE_SCHEMA, "no table " + of));
      const std::string column(sdk::view(change.columns->name));
      const int place = stored.column(column);
      CDCRT_TRACE(name() + (change.kind == CDCRT_ADD_COLUMN ? "add column " : "change column ") + column + " of " + of);
      if (change.kind == CDCRT_ADD_COLUMN) {
        add(stored, *change.columns);
      } else if (place >= 0 && change.kind == CDCRT_DROP_COLUMN) {
        stored.columns.erase(stored.columns.begin() + place);
        for (StoredRow& row : stored.rows) {
          if (row.exists) row.values.erase(row.values.begin() + place);
        }
      } else if (change.kind == CDCRT_RENAME_COLUMN) {
        const int from = stored.column(sdk::view(change.columns->former_name));
        if (from < 0 && place < 0) return failed(sdk::Status::error(CDCRT_STALE_SCHEMA, "no column to rename in " + of));
        if (from >= 0) rename(stored, from, place, column);
      } else if (place >= 0 && change.kind == CDCRT_ALTER_TYPE) {
        stored.columns[static_cast<std::size_t>(place)].type = change.columns->type;
      }
    }
    return {};
  }

  sdk::Status write(const cdcrt_write& write) override {
    const std::string of = name_of(write.table);
    if (auto entered = enter(std::string(kKinds[write.kind]) + " " + of); !entered) return entered;
    if (transaction_ == nullptr) {
      fail("rows are written outside of a transaction");
      return sdk::Status::fatal("no transaction");
    }
    StoredTable* table = target()->find(of);
    if (table == nullptr) return failed(sdk::Status::error(CDCRT_STALE_SCHEMA, "no table " + of));
    target()->look(*transaction_);
    if (auto used = target()->use(*transaction_, *table); !used) return failed(std::move(used));
    if (auto used = target()->write_alone(*transaction_, *table); !used) return failed(std::move(used));
    if (!is_own(of) && goes_wrong(character().busy_calls)) return failed(sdk::Status::error(CDCRT_BUSY, "lock timeout by chance"));
    auto done = write_rows(write, *table);
    return done ? std::move(done) : failed(std::move(done));
  }

  sdk::Status read(const cdcrt_read& read) override {
    // Where tables are locked a look needs no transaction: each read sees a moment of its own.
    if (transaction_ == nullptr && character().table_locks && read.lock == CDCRT_LOCK_NONE) {
      if (auto begun = begin(); !begun) return begun;
      auto done = this->read(read);
      auto ended = rollback();
      return done ? std::move(ended) : std::move(done);
    }
    const std::string of = name_of(read.table);
    if (auto entered = enter(std::string(read.lock == 0 ? "read " : (read.lock == 1 ? "read and share " : "read and lock ")) + of);
        !entered)
      return entered;
    if (transaction_ == nullptr) {
      fail("rows are read outside of a transaction");
      return sdk::Status::fatal("no transaction");
    }
    StoredTable* table = target()->find(of);
    if (table == nullptr) return failed(sdk::Status::error(CDCRT_STALE_SCHEMA, "no table " + of));
    target()->look(*transaction_);
    if (auto used = target()->use(*transaction_, *table); !used) return failed(std::move(used));
    std::vector<int> places;
    for (uint32_t c = 0; c < read.column_count; ++c) {
      places.push_back(table->column(sdk::view(read.columns[c].name)));
      if (places.back() < 0) return failed(sdk::Status::error(CDCRT_STALE_SCHEMA, "no column"));
    }
    std::vector<std::string> keys;
    for (uint64_t k = 0; k < read.key_rows * read.key_count; ++k) keys.push_back(text_of(read.keys[k]));
    const auto wanted = [&](const StoredValues& values) {
      for (uint64_t k = 0; k < read.key_rows; ++k) {
        bool equal = true;
        for (uint32_t c = 0; c < read.key_count && equal; ++c)
          equal = values[static_cast<std::size_t>(places[c])] == keys[k * read.key_count + c];
        if (equal) return true;
      }
      return read.key_count == 0;
    };
    std::vector<StoredRow*> rows;
    for (StoredRow& row : table->rows) {
      if (const auto* values = Target::seen(*transaction_, row); values != nullptr && wanted(*values)) rows.push_back(&row);
    }
    // Locks are taken one by one, in whatever order the plan finds the rows; what was changed meanwhile is looked at again.
    if (read.lock != CDCRT_LOCK_NONE && !character().table_locks) {
      if (random().chance(300)) std::reverse(rows.begin(), rows.end());
      for (StoredRow* row : rows) {
        if (auto locked = target()->lock(*transaction_, *table, *row, read.lock == CDCRT_LOCK_UPDATE); !locked)
          return failed(std::move(locked));
      }
    }
    event::Arena arena{1 << 10};
    std::vector<cdcrt_cell> cells;
    for (const StoredRow* row : rows) {
      const auto* values = Target::seen(*transaction_, *row);
      if (values == nullptr || !wanted(*values)) continue;
      cells.clear();
      for (const int place : places) cells.push_back(*types::from_text((*values)[static_cast<std::size_t>(place)], arena));
      if (is_tracing()) {
        std::string line;
        for (const int place : places) line += " " + readable((*values)[static_cast<std::size_t>(place)]);
        CDCRT_TRACE(name() + "  read" + line);
      }
      if (read.visit(read.context, cells.data()) != 0) break;
    }
    return {};
  }

  sdk::Status lock(const cdcrt_table* tables, uint32_t count) override {
    if (auto entered = enter("lock"); !entered) return entered;
    if (transaction_ == nullptr || transaction_->snapshot > 0) {
      fail("tables are locked outside of a transaction, or too late in it");
      return sdk::Status::fatal("too late");
    }
    for (uint32_t i = 0; i < count; ++i) {
      CDCRT_TRACE(name() + "  " + name_of(tables[i]));
      StoredTable* table = target()->find(name_of(tables[i]));
      if (table == nullptr) return failed(sdk::Status::error(CDCRT_STALE_SCHEMA, "no table " + name_of(tables[i])));
      if (auto used = target()->use_alone(*transaction_, *table); !used) return failed(std::move(used));
    }
    return {};
  }

 private:
  [[nodiscard]] static std::string name() { return "target: "; }

  sdk::Status enter(const std::string& call) {
    ++state()->calls;
    take_time();
    notice();
    if (broken_) return sdk::Status::retry("connection lost");
    if (transaction_ != nullptr && transaction_->failed) {
      fail("a transaction goes on after it failed: " + call);
      return sdk::Status::fatal("the transaction failed");
    }
    if (target()->down || goes_wrong(character().lost_calls)) {
      CDCRT_TRACE(name() + call + ": connection lost");
      broken_ = true;
      return sdk::Status::retry("connection lost");
    }
    CDCRT_TRACE(name() + call);
    return {};
  }

  // The target closed the connection meanwhile.
  void notice() {
    if (transaction_ == nullptr || !transaction_->sent) return;
    transaction_ = nullptr;
    broken_ = true;
  }

  sdk::Status failed(sdk::Status status) {
    CDCRT_TRACE(name() + "  answers " + std::to_string(status.code()) + ": " + std::string(status.message()));
    transaction_->failed = true;
    return status;
  }

  static void add(StoredTable& table, const cdcrt_column& column) {
    const std::string of(sdk::view(column.name));
    if (table.column(of) >= 0) return;
    StoredColumn& added = table.columns.emplace_back();
    added.name = of;
    added.type = column.type;
    added.key_ordinal = column.key_ordinal;
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) added.default_value = text_of(column.default_value);
    for (StoredRow& row : table.rows) {
      if (row.exists) row.values.push_back(or_null(added.default_value));
    }
  }

  /// `beside`: where a column of that name is; -1: there is none.
  static void rename(StoredTable& table, int from, int beside, const std::string& name) {
    table.columns[static_cast<std::size_t>(from)].name = name;
    if (beside < 0) return;
    for (StoredRow& row : table.rows) {
      if (!row.exists) continue;
      std::string& value = row.values[static_cast<std::size_t>(beside)];
      if (value != or_null("")) row.values[static_cast<std::size_t>(from)] = value;
      row.values.erase(row.values.begin() + beside);
    }
    table.columns.erase(table.columns.begin() + beside);
  }

  sdk::Status write_rows(const cdcrt_write& write, StoredTable& table) {
    Transaction& own = *transaction_;
    if (write.kind == CDCRT_WRITE_CLEAR) {
      std::vector<StoredRow*> rows;
      for (StoredRow& row : table.rows) {
        if (Target::seen(own, row) != nullptr) rows.push_back(&row);
      }
      for (StoredRow* row : rows) {
        if (auto locked = target()->lock(own, table, *row, true); !locked) return locked;
        if (Target::seen(own, *row) != nullptr) Target::remove(own, table, *row);
      }
      return {};
    }
    std::vector<std::size_t> places;
    for (uint32_t c = 0; c < write.column_count; ++c) {
      const int place = table.column(sdk::view(write.columns[c].name));
      if (place < 0) return sdk::Status::error(CDCRT_STALE_SCHEMA, "no column");
      places.push_back(static_cast<std::size_t>(place));
    }
    std::set<std::string> written;
    for (uint64_t r = 0; r < write.row_count; ++r) {
      StoredValues values(table.columns.size());
      std::vector<bool> listed(table.columns.size());
      std::string shown;
      for (uint32_t c = 0; c < write.column_count; ++c) {
        const cdcrt_cell& cell = write.cells[r * write.column_count + c];
        if (cell.tag == CDCRT_ABSENT) continue;
        const uint8_t kind = write.columns[c].type.kind;
        if (cell.tag > CDCRT_NULL && types::kNaturalTags[kind] != cell.tag) {
          fail("a cell of tag " + std::to_string(cell.tag) + " in a column of kind " + std::to_string(kind));
        }
        if (write.kind != CDCRT_WRITE_DELETE && cell.tag == CDCRT_STRING && !is_own(table.name) && types::text_of(cell) == kRefused) {
          return sdk::Status::bad_record("refused");
        }
        values[places[c]] = text_of(cell);
        listed[places[c]] = true;
      }
      if (is_tracing()) {
        for (std::size_t i = 0; i < values.size(); ++i) shown += " " + (listed[i] ? readable(values[i]) : std::string("-"));
        CDCRT_TRACE(name() + "  row" + shown);
      }
      if (auto done = write_row(write, table, values, listed, r, written); !done) return done;
    }
    return {};
  }

  sdk::Status write_row(const cdcrt_write& write, StoredTable& table, StoredValues& values, const std::vector<bool>& listed, uint64_t index,
                        std::set<std::string>& written) {
    Transaction& own = *transaction_;
    if (write.kind == CDCRT_WRITE_REMOVE) {
      for (std::size_t place = 0; place < table.rows.size(); ++place) {
        StoredRow& row = table.rows[place];
        const auto equal = [&] {
          const auto* stands = Target::seen(own, row);
          if (stands == nullptr) return false;
          for (std::size_t i = 0; i < values.size(); ++i) {
            if (listed[i] && (*stands)[i] != values[i]) return false;
          }
          return true;
        };
        if (!equal()) continue;
        if (auto locked = target()->lock(own, table, row, true); !locked) return locked;
        if (!equal()) continue;
        Target::remove(own, table, row);
        return {};
      }
      if (write.missing != nullptr) write.missing(write.context, index);
      return {};
    }
    StoredRow* row = nullptr;
    if (table.has_key()) {
      const std::string key = table.key_of(values);
      if (!written.insert(key).second) {
        fail("a key twice in one write of " + table.name);
        return sdk::Status::bad_record("a key twice in one write");
      }
      auto& place = table.by_key[key];
      if (place == nullptr) {
        if (write.kind == CDCRT_WRITE_PATCH || write.kind == CDCRT_WRITE_DELETE) {
          table.by_key.erase(key);
          if (write.kind == CDCRT_WRITE_PATCH && write.missing != nullptr) write.missing(write.context, index);
          return {};
        }
        place = &table.rows.emplace_back();
      }
      row = place;
      if (auto locked = target()->lock(own, table, *row, true); !locked) return locked;
    } else {
      row = &table.rows.emplace_back();
      if (auto locked = target()->lock(own, table, *row, true); !locked) return locked;
    }
    const auto* stands = Target::seen(own, *row);
    if (write.kind == CDCRT_WRITE_DELETE) {
      if (stands != nullptr) Target::remove(own, table, *row);
      return {};
    }
    if (write.kind == CDCRT_WRITE_PATCH && stands == nullptr) {
      if (write.missing != nullptr) write.missing(write.context, index);
      return {};
    }
    if (write.kind == CDCRT_WRITE_APPEND && stands != nullptr) return sdk::Status::bad_record("the key is there already");
    const bool keeps = stands != nullptr && write.kind != CDCRT_WRITE_REPLACE;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!listed[i]) values[i] = keeps ? (*stands)[i] : or_null(table.columns[i].default_value);
    }
    Target::change(own, table, *row, std::move(values));
    return {};
  }

  const int process_;
  Transaction* transaction_ = nullptr;
  bool broken_ = false;
};

class Sink final : public sdk::Sink {
 public:
  explicit Sink(const sdk::Config&) : process_(scheduler().process()) {}
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override {
    ++state()->calls;
    take_time();
    if (target()->down || goes_wrong(character().lost_calls)) {
      CDCRT_TRACE("target: unreachable");
      return sdk::Status::error(CDCRT_UNREACHABLE, "unreachable");
    }
    connection = std::make_unique<Connection>(process_);
    if (character().foresees) connection = make_foreseeing(std::move(connection), foresight_);
    return {};
  }
  uint32_t capabilities(uint32_t) override {
    return CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS |
           (character().table_locks ? CDCRT_SINK_TABLE_LOCKS | CDCRT_SINK_LEAVES_THINGS : 0) | (character().rests ? CDCRT_SINK_RESTS : 0);
  }
  void limits(cdcrt_limits& limits) override {
    if (!character().table_locks) return;
    limits.text_bytes = 65'535;
    limits.bookkeeping_ms = 30'000;
  }
  // What a process left outside is deleted by another only once it can put nothing more there that counts.
  sdk::Status abandoned(std::string_view process) override {
    CDCRT_TRACE("target: nothing is left of " + std::string(process));
    return {};
  }

 private:
  const int process_;
  ForeseeingShared foresight_;
};

}  // namespace

const cdcrt_plugin& target_plugin() {
  static const cdcrt_plugin plugin = sdk::detail::sink_descriptor<Sink>("target", "1.0.0", sdk::kNoOptions);
  return plugin;
}

}  // namespace cdcrt::simulation
