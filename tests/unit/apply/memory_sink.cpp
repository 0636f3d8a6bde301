#include "apply/memory_sink.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "apply/memory_sink_calls.hpp"
#include "cdcrt/sdk/sink.hpp"
#include "types/convert.hpp"

namespace cdcrt::memory_sink {

void (*on_call)(bool begins) = nullptr;

namespace {

Database* current = nullptr;

std::string text_of(const cdcrt_cell& cell) {
  std::string text;
  types::append_text(text, cell);
  return text;
}

const std::string& null_text() {
  static const std::string text = text_of(types::null_cell());
  return text;
}

std::string name_of(const cdcrt_table& table) {
  const std::string schema(sdk::view(table.schema));
  const std::string name(sdk::view(table.name));
  return schema.empty() ? name : schema + "." + name;
}

std::string or_null(const std::string& text) { return text.empty() ? null_text() : text; }

struct Call {
  Call() {
    if (on_call != nullptr) on_call(true);
  }
  ~Call() {
    if (on_call != nullptr) on_call(false);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
};

class Connection : public sdk::SinkConnection {
 public:
  explicit Connection(Database& database) : database_(database) {}
  ~Connection() override { (void)rollback(); }

  sdk::Status begin() override {
    const Call call;
    if (database_.dead_connections > 0) {
      --database_.dead_connections;
      is_dead_ = true;
      return sdk::Status::error(CDCRT_UNREACHABLE, "the server closed the connection");
    }
    saved_ = database_.tables;
    ++database_.begins;
    events_.clear();
    return {};
  }
  sdk::Status commit() override {
    const Call call;
    if (database_.before_commit) database_.before_commit();
    if (database_.lost_before_commit > 0) {
      --database_.lost_before_commit;
      (void)rollback();
      if (database_.after_lost) database_.after_lost();
      return sdk::Status::retry("connection lost before COMMIT").with_native(0, "57P01");
    }
    if (refuses_now()) {
      (void)rollback();
      return sdk::Status::bad_record("refused at COMMIT");
    }
    saved_.reset();
    ++database_.commits;
    database_.events.insert(database_.events.end(), events_.begin(), events_.end());
    events_.clear();
    if (database_.lost_after_commit > 0) {
      --database_.lost_after_commit;
      return sdk::Status::retry("connection lost after COMMIT").with_native(0, "57P01");
    }
    return {};
  }
  sdk::Status rollback() override {
    const Call call;
    if (saved_) database_.tables = std::move(*saved_);
    saved_.reset();
    events_.clear();
    return is_dead_ ? sdk::Status::error(CDCRT_UNREACHABLE, "the server closed the connection") : sdk::Status();
  }

  sdk::Status savepoint(cdcrt_savepoint action) override {
    const Call call;
    if (action == CDCRT_SAVEPOINT_RELEASE && refuses_now()) return sdk::Status::bad_record("refused at the end of the savepoint");
    if (action == CDCRT_SAVEPOINT_SET) marked_ = database_.tables;
    if (action == CDCRT_SAVEPOINT_ROLL_BACK) database_.tables = std::move(*marked_);
    if (action != CDCRT_SAVEPOINT_SET) marked_.reset();
    if (action == CDCRT_SAVEPOINT_SET) ++database_.savepoints;
    return {};
  }

  sdk::Status describe(const cdcrt_table& table, sdk::TableDescription& out) override {
    const Call call;
    out.set_folds_names(database_.folds_names);
    const auto found = database_.tables.find(name_of(table));
    if (found == database_.tables.end()) return {};
    out.set_exists(true);
    for (const auto& column : found->second.columns) out.add(column.name, column.type, "", column.key_ordinal > 0, column.key_ordinal);
    return {};
  }

  sdk::Status change(const cdcrt_table& name, const cdcrt_change* changes, uint32_t count) override {
    const Call call;
    for (uint32_t i = 0; i < count; ++i) {
      const cdcrt_change& change = changes[i];
      if (change.kind == CDCRT_CREATE_TABLE) {
        Table& table = database_.tables[name_of(name)];
        for (uint32_t c = 0; c < change.column_count; ++c) add(table, change.columns[c]);
        continue;
      }
      if (change.kind == CDCRT_DROP_TABLE) {
        database_.tables.erase(name_of(name));
        continue;
      }
      const auto found = database_.tables.find(name_of(name));
      if (found == database_.tables.end()) return sdk::Status::error(CDCRT_STALE_SCHEMA, "no table");
      Table& table = found->second;
      const std::string column = folded(change.columns->name);
      if (change.kind == CDCRT_ADD_COLUMN) {
        add(table, *change.columns);
      } else if (change.kind == CDCRT_DROP_COLUMN) {
        if (table.columns.size() == 1) return sdk::Status::error(CDCRT_UNSUPPORTED, "there are no other columns");
        std::erase_if(table.columns, [&](const Column& each) { return each.name == column; });
        for (Row& row : table.rows) row.erase(column);
      } else if (change.kind == CDCRT_RENAME_COLUMN) {
        rename(table, folded(change.columns->former_name), column);
      } else if (change.kind == CDCRT_ALTER_TYPE) {
        for (Column& each : table.columns) {
          if (each.name == column) each.type = change.columns->type;
        }
        for (Row& row : table.rows) {
          event::Arena arena;
          auto cell = types::from_text(row[column], arena);
          auto converted = types::convert(*cell, change.from, change.columns->type, arena);
          if (!converted) return sdk::Status::bad_record(converted.error().message);
          row[column] = text_of(*converted);
        }
      }
    }
    return {};
  }

  sdk::Status write(const cdcrt_write& write) override {
    const Call call;
    const std::string name = name_of(write.table);
    if ((database_.capabilities & CDCRT_SINK_EVENTS) != 0) return take_events(write);
    const auto found = database_.tables.find(name);
    if (found == database_.tables.end()) return sdk::Status::error(CDCRT_STALE_SCHEMA, "no table " + name);
    Table& table = found->second;
    const bool own = name.rfind("cdcrt", 0) == 0;
    if (const auto away = database_.unreachable.find(name); away != database_.unreachable.end() && away->second > 0) {
      --away->second;
      return sdk::Status::error(CDCRT_UNREACHABLE, "the disk is full");
    }
    if (!own && database_.deadlocks > 0) {
      --database_.deadlocks;
      return sdk::Status::retry("deadlock");
    }
    if (write.kind == CDCRT_WRITE_CLEAR) {
      table.rows.clear();
      return {};
    }
    std::map<std::string, std::size_t> places;
    const auto key_of = [&](const Row& row) {
      std::string key;
      for (uint32_t c = 0; c < write.column_count; ++c) {
        if (write.columns[c].key_ordinal > 0) key += row.at(folded(write.columns[c].name));
      }
      return key;
    };
    const bool by_key = write.kind != CDCRT_WRITE_APPEND && write.kind != CDCRT_WRITE_REMOVE;
    for (uint32_t c = 0; c < write.column_count; ++c) {
      if (table.column(folded(write.columns[c].name)) == nullptr) return sdk::Status::error(CDCRT_STALE_SCHEMA, "no column");
    }
    if (by_key) {
      for (std::size_t i = 0; i < table.rows.size(); ++i) places[key_of(table.rows[i])] = i;
    }
    std::map<std::string, bool> written;
    std::vector<std::size_t> gone;
    for (uint64_t r = 0; r < write.row_count; ++r) {
      Row row;
      for (uint32_t c = 0; c < write.column_count; ++c) {
        const cdcrt_cell& cell = write.cells[r * write.column_count + c];
        if (cell.tag == CDCRT_ABSENT) continue;
        const uint8_t kind = write.columns[c].type.kind;
        if (cell.tag > CDCRT_NULL && types::kNaturalTags[kind] != cell.tag) {
          return sdk::Status::fatal("cell of tag " + std::to_string(cell.tag) + " in a column of kind " + std::to_string(kind));
        }
        cdcrt_cell held = cell;
        if (!own && database_.longest_text != 0 && cell.tag == CDCRT_STRING && cell.size > database_.longest_text) {
          if ((write.columns[c].flags & CDCRT_COLUMN_MAY_CUT) != 0) {
            held.size = database_.longest_text;
          } else if ((write.columns[c].flags & CDCRT_COLUMN_MAY_NULL) != 0) {
            held = types::null_cell();
          } else {
            return sdk::Status::bad_record("too long");
          }
          write.overflowed(write.context, 1);
        }
        row[folded(write.columns[c].name)] = text_of(held);
      }
      if (!own && database_.refuses && !database_.refuses_late && write.kind != CDCRT_WRITE_DELETE && database_.refuses(row))
        return sdk::Status::bad_record("refused");
      if (by_key && !written.emplace(key_of(row), true).second) return sdk::Status::bad_record("a key twice in one write");
      if (write.kind == CDCRT_WRITE_REMOVE) {
        const auto copy = std::find_if(table.rows.begin(), table.rows.end(), [&](const Row& each) {
          return std::all_of(row.begin(), row.end(), [&](const auto& cell) { return or_null(each.at(cell.first)) == cell.second; });
        });
        if (copy != table.rows.end()) {
          table.rows.erase(copy);
        } else if (write.missing != nullptr) {
          write.missing(write.context, r);
        }
        continue;
      }
      const auto place = by_key ? places.find(key_of(row)) : places.end();
      const bool stands = place != places.end();
      if (write.kind == CDCRT_WRITE_PATCH && !stands) {
        if (write.missing != nullptr) write.missing(write.context, r);
      } else if (write.kind == CDCRT_WRITE_DELETE) {
        for (std::size_t i = 0; i < table.rows.size(); ++i) {
          if (key_of(table.rows[i]) == key_of(row)) gone.push_back(i);
        }
      } else if (stands && write.kind != CDCRT_WRITE_REPLACE) {
        for (const auto& [column, value] : row) table.rows[place->second][column] = value;
      } else {
        for (const Column& column : table.columns) row.emplace(column.name, or_null(column.default_value));
        if (stands) {
          table.rows[place->second] = row;
        } else {
          table.rows.push_back(row);
        }
      }
      if (!own && repeats(table)) return sdk::Status::bad_record("a value twice in a unique column");
    }
    std::sort(gone.rbegin(), gone.rend());
    for (const std::size_t index : gone) table.rows.erase(table.rows.begin() + static_cast<std::ptrdiff_t>(index));
    return {};
  }

  sdk::Status read(const cdcrt_read& read) override {
    const Call call;
    const auto found = database_.tables.find(name_of(read.table));
    if (found == database_.tables.end()) return sdk::Status::error(CDCRT_STALE_SCHEMA, "no table");
    for (const Row& row : found->second.rows) {
      event::Arena arena;
      std::vector<cdcrt_cell> cells;
      for (uint32_t c = 0; c < read.column_count; ++c) {
        const auto value = row.find(folded(read.columns[c].name));
        if (value == row.end()) return sdk::Status::error(CDCRT_STALE_SCHEMA, "no column");
        cells.push_back(*types::from_text(or_null(value->second), arena));
      }
      bool wanted = read.key_count == 0;
      for (uint64_t k = 0; k < read.key_rows && !wanted; ++k) {
        wanted = true;
        for (uint32_t c = 0; c < read.key_count; ++c) wanted = wanted && text_of(cells[c]) == text_of(read.keys[k * read.key_count + c]);
      }
      if (wanted && read.visit(read.context, cells.data()) != 0) break;
    }
    return {};
  }

 private:
  [[nodiscard]] std::string folded(const cdcrt_string& name) const {
    std::string text(sdk::view(name));
    if (!database_.folds_names) return text;
    for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return text;
  }
  static void rename(Table& table, const std::string& former, const std::string& name) {
    const Column* const renamed = table.column(former);
    if (former == name || renamed == nullptr) return;
    const Column* const newer = table.column(name);
    for (Row& row : table.rows) {
      const std::string value = or_null(row[former]);
      row.erase(former);
      if (newer == nullptr || or_null(row[name]) == null_text()) {
        row[name] = value;
        continue;
      }
      event::Arena arena;
      const auto cell = types::from_text(row[name], arena);
      if (const auto converted = types::convert(*cell, newer->type, renamed->type, arena)) {
        row[name].clear();
        types::append_text(row[name], *converted);
      }
    }
    std::erase_if(table.columns, [&](const Column& each) { return each.name == name; });
    for (Column& each : table.columns) {
      if (each.name == former) each.name = name;
    }
  }

  void add(Table& table, const cdcrt_column& column) const {
    const std::string name = folded(column.name);
    if (table.column(name) != nullptr) return;
    Column& added = table.columns.emplace_back();
    added.name = name;
    added.type = column.type;
    added.key_ordinal = column.key_ordinal;
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) added.default_value = text_of(column.default_value);
    for (Row& row : table.rows) row[name] = or_null(added.default_value);
  }

  [[nodiscard]] bool repeats(const Table& table) const {
    if (database_.unique.empty()) return false;
    std::map<std::string, int> seen;
    return std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) { return seen[row.at(database_.unique)]++ > 0; });
  }

  sdk::Status take_events(const cdcrt_write& write) {
    for (uint64_t r = 0; r < write.row_count; ++r) {
      std::string text = std::to_string(write.operations[r]);
      for (uint32_t c = 0; c < write.column_count; ++c) text += " " + types::display(write.cells[r * write.column_count + c]);
      events_.push_back(text);
    }
    return {};
  }

  bool refuses_now() const {
    if (!database_.refuses || !database_.refuses_late) return false;
    return std::any_of(database_.tables.begin(), database_.tables.end(), [&](const auto& table) {
      return table.first.rfind("cdcrt.", 0) != 0 && std::any_of(table.second.rows.begin(), table.second.rows.end(), database_.refuses);
    });
  }

  Database& database_;
  std::optional<Tables> saved_, marked_;
  bool is_dead_ = false;
  std::vector<std::string> events_;
};

class Sink : public sdk::Sink {
 public:
  explicit Sink(const sdk::Config&) {}
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override {
    connection = std::make_unique<Connection>(database_);
    return {};
  }
  uint32_t capabilities(uint32_t) override { return database_.capabilities; }

 private:
  Database& database_ = *current;
};

}  // namespace

const Column* Table::column(const std::string& name) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& each) { return each.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string Database::show(const std::string& table) const {
  const auto found = tables.find(table);
  if (found == tables.end()) return "(none)";
  std::vector<std::string> rows;
  for (const Row& row : found->second.rows) {
    std::string text;
    for (const Column& column : found->second.columns) {
      event::Arena arena;
      const auto cell = types::from_text(or_null(row.at(column.name)), arena);
      text += (text.empty() ? "" : ",") + column.name + "=" + types::display(*cell);
    }
    rows.push_back(text);
  }
  std::sort(rows.begin(), rows.end());
  std::string all;
  for (const auto& row : rows) all += (all.empty() ? "" : "; ") + row;
  return all;
}

plugin::Component component(Database& database) {
  static const cdcrt_plugin descriptor = sdk::detail::sink_descriptor<Sink>("memory", "1.0.0", sdk::kNoOptions);
  current = &database;
  plugin::Component sink;
  sink.name = "db";
  sink.plugin = "memory";
  sink.descriptor = &descriptor;
  sink.options = plugin::Options("db", "shop", {});
  return sink;
}

}  // namespace cdcrt::memory_sink
