// A task that starts (drop-table and create-table under the task's key), loads each table (under keys of rows) and goes on with its changes
// (under the table's key), so that a row's load, its changes and the table's key lie in different partitions. --random-partitions puts
// every message anywhere. NULLs are left out, as by default there. Deterministic by seed.
#include "dms_events.hpp"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "event_text.hpp"
#include "expected_rows.hpp"
#include "output.hpp"
#include "random.hpp"

namespace cdcrt::bench {
namespace {

struct DmsRow {
  std::string name, note, amount, placed, photo;
  bool has_note = false, active = false;
  int64_t quantity = 0;
  uint64_t serial = 0;
  double weight = 0;
};

constexpr int64_t kStart = 1'749'554'880'000'000;  // 2025-06-10T11:28:00Z

const std::vector<ExpectedColumn> kColumns = {{"id", "int64"},         {"name", "string"},    {"note", "string"},    {"active", "bool"},
                                              {"amount", "decimal"},   {"quantity", "int32"}, {"serial", "decimal"}, {"weight", "float64"},
                                              {"placed", "timestamp"}, {"photo", "bytes"}};

std::string format(const char* pattern, auto... values) {
  char text[128];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string moment(int64_t microseconds) {
  std::string text;
  add_moment(text, microseconds, 'T', "");
  return text;
}

class DmsGenerator {
 public:
  explicit DmsGenerator(const GeneratorSettings& settings)
      : settings_(settings), random_(mix(settings.seed)), lines_(settings.out), offsets_(settings.partitions), tables_(settings.tables) {
    for (std::size_t i = 0; i < tables_.size(); ++i) tables_[i].name = "t" + std::to_string(i + 1);
  }

  void run() {
    for (Table& table : tables_) define(table);
    while (written_ < settings_.events / 4) load(tables_[random_.below(tables_.size())]);
    while (written_ < settings_.events) change(tables_[random_.below(tables_.size())]);
    lines_.close();
    write_expected_rows(settings_.expected, tables_, kColumns, write_rows);
  }

 private:
  struct Table {
    std::string name;
    std::map<int64_t, DmsRow> rows;
    std::vector<int64_t> ids;  ///< that ever were
  };

  DmsRow make_row() {
    static const char* const kWords[] = {"naïve", "日本", "plain", "quote \"q\"", "back\\slash", "😀", "comma, here", ""};
    DmsRow row;
    row.name = kWords[random_.below(7)] + std::to_string(random_.below(1'000'000));
    row.has_note = random_.below(4) != 0;
    row.note = std::string("note ") + kWords[random_.below(8)];
    row.active = random_.below(2) != 0;
    row.amount = format("%s%d.%02d", random_.below(2) == 0 ? "" : "-", static_cast<int>(1 + random_.below(100'000)),
                        static_cast<int>(random_.below(100)));
    row.quantity = static_cast<int64_t>(random_.below(100'000)) - 50'000;
    row.serial = random_.below(10) == 0 ? 18'446'744'073'709'551'615ULL - random_.below(1000) : random_.below(1'000'000);
    row.weight = static_cast<double>(random_.below(1'000'000)) / 64.0;
    row.placed = moment(kStart + static_cast<int64_t>(random_.below(86'400'000'000)));
    for (uint64_t i = random_.below(6); i > 0; --i) row.photo += format("%02X", static_cast<unsigned>(random_.below(256)));
    return row;
  }

  static std::string data_of(int64_t id, const DmsRow& row) {
    std::string text = "{\"id\":" + std::to_string(id) + ",\"name\":" + json_text(row.name);
    if (row.has_note) text += ",\"note\":" + json_text(row.note);
    return text + ",\"active\":\"" + (row.active ? "true" : "false") + "\",\"amount\":" + row.amount +
           ",\"quantity\":" + std::to_string(row.quantity) + ",\"serial\":" + std::to_string(row.serial) +
           ",\"weight\":" + real_text(row.weight) + ",\"placed\":\"" + row.placed + "Z\",\"photo\":\"0x" + row.photo + "\"}";
  }

  void define(Table& table) {
    const std::string key = "DZ6OKLFYA5BWVG4RYROQUHXU4E.shop." + table.name;
    record(table, key, "\"control\":{}", "control", "drop-table", "task-id");
    record(
        table, key,
        R"("control":{"table-def":{"columns":{"id":{"type":"INT64","nullable":false},"name":{"type":"WSTRING","length":64,"nullable":true},)"
        R"("note":{"type":"NCLOB","nullable":true},"active":{"type":"BOOLEAN","nullable":true},"amount":{"type":"NUMERIC","nullable":true},)"
        R"("quantity":{"type":"INT32","nullable":true},"serial":{"type":"UINT64","nullable":true},"weight":{"type":"REAL8","nullable":true},)"
        R"("placed":{"type":"DATETIME","nullable":true},"photo":{"type":"BYTES","length":16,"nullable":true}},"primary-key":["id"]}})",
        "control", "create-table", "task-id");
  }

  void load(Table& table) {
    const auto id = static_cast<int64_t>(table.ids.size()) + 1;
    table.ids.push_back(id);
    const DmsRow& row = table.rows[id] = make_row();
    record(table, "shop." + table.name + "." + std::to_string(id), "\"data\":" + data_of(id, row), "data", "load", "primary-key");
  }

  void change(Table& table) {
    const std::string key = "shop." + table.name;
    const uint64_t draw = random_.below(100);
    const int64_t id = table.ids.empty() ? 0 : table.ids[random_.below(table.ids.size())];
    const auto found = table.rows.find(id);
    if (draw < 20 || table.ids.empty()) {
      const auto added = static_cast<int64_t>(table.ids.size()) + 1;
      table.ids.push_back(added);
      record(table, key, "\"data\":" + data_of(added, table.rows[added] = make_row()), "data", "insert", "schema-table");
    } else if (found == table.rows.end()) {
      record(table, key, "\"data\":" + data_of(id, table.rows[id] = make_row()), "data", "insert", "schema-table");
    } else if (draw < 80) {
      record(table, key, "\"before-image\":{},\"data\":" + data_of(id, found->second = make_row()), "data", "update", "schema-table");
    } else if (draw < 85) {
      const auto moved = static_cast<int64_t>(table.ids.size()) + 1;
      table.ids.push_back(moved);
      table.rows.erase(found);
      record(table, key, "\"before-image\":{\"id\":" + std::to_string(id) + "},\"data\":" + data_of(moved, table.rows[moved] = make_row()),
             "data", "update", "schema-table");
    } else {
      table.rows.erase(found);
      record(table, key, "\"data\":{\"id\":" + std::to_string(id) + ",\"name\":null,\"note\":null,\"photo\":null}", "data", "delete",
             "schema-table");
    }
  }

  void record(const Table& table, const std::string& key, const std::string& part, const char* type, const char* operation,
              const char* key_type) {
    // Two messages of one time now and then: those of one transaction, where it is told.
    if (!settings_.details || random_.below(4) != 0) {
      time_ += 1 + static_cast<int64_t>(random_.below(100));
      transaction_record_ = 0;
    }
    ++transaction_record_;
    std::string payload = "{" + part + ",\"metadata\":{\"timestamp\":\"" + moment(time_) + "Z\",\"record-type\":\"" + type +
                          "\",\"operation\":\"" + operation + "\",\"partition-key-type\":\"" + key_type +
                          "\",\"schema-name\":\"shop\",\"table-name\":\"" + table.name + "\"";
    if (settings_.details && std::strcmp(type, "data") == 0 && std::strcmp(operation, "load") != 0) {
      payload += format(R"(,"transaction-id":%lld,"transaction-record-id":%llu,"commit-timestamp":"%sZ")", static_cast<long long>(time_),
                        static_cast<unsigned long long>(transaction_record_), moment(time_ - time_ % 1'000'000).c_str());
      payload += format(R"(,"stream-position":"mysql-bin-changelog.000001:%lld:0:1:1:mysql-bin-changelog.000001:1")",
                        static_cast<long long>(time_ - kStart));
    }
    payload += "}}";
    const std::size_t partition =
        (settings_.random_partitions ? random_.below(settings_.partitions) : std::hash<std::string>{}(key) % settings_.partitions);
    const std::string line = "{\"topic\":\"dms.shop\",\"partition\":" + std::to_string(partition) +
                             ",\"offset\":" + std::to_string(offsets_[partition]++) +
                             ",\"tstype\":\"create\",\"ts\":" + std::to_string(time_ / 1000) + ",\"key\":" + json_text(key) +
                             ",\"payload\":" + json_text(payload) + "}\n";
    lines_.write(line);
    ++written_;
  }

  static void write_rows(Output& rows, const Table& table) {
    for (const auto& [id, row] : table.rows) {
      std::string photo = "\\x";
      for (const char c : row.photo) photo += c >= 'A' ? static_cast<char>(c - 'A' + 'a') : c;
      std::string placed = row.placed;
      placed[10] = ' ';
      rows.write(std::to_string(id) + "," + csv_text(row.name) + "," + (row.has_note ? csv_text(row.note) : "\\N") +
                 (row.active ? ",t," : ",f,") + row.amount + "," + std::to_string(row.quantity) + "," + std::to_string(row.serial) + "," +
                 real_text(row.weight) + "," + placed + "," + photo + "\n");
    }
  }

  const GeneratorSettings settings_;
  Random random_;
  Output lines_;
  std::vector<int64_t> offsets_;
  std::vector<Table> tables_;
  uint64_t written_ = 0, transaction_record_ = 0;
  int64_t time_ = kStart;
};

}  // namespace

void generate_dms(const GeneratorSettings& settings) { DmsGenerator(settings).run(); }

}  // namespace cdcrt::bench
