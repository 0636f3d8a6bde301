// A job that reads each table in chunks (rows without a place in the log) and goes on with its binlog: creates, updates, deletes and key
// changes, which are a delete and a create at one place. Values without keys and schemas, each in a partition by chance, so that a row's
// changes lie in several. Deterministic by seed.
#include "flink_events.hpp"

#include <cstdint>
#include <cstdio>
#include <cstring>
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

struct FlinkRow {
  std::string name, note;
  bool has_note = false;
  int64_t cents = 0, placed_us = 0;
  uint64_t serial = 0;
  double weight = 0;
};

const std::vector<ExpectedColumn> kColumns = {{"id", "int64"},       {"name", "string"},    {"note", "string"}, {"amount", "decimal"},
                                              {"serial", "decimal"}, {"weight", "float64"}, {"placed", "int64"}};

/// Base64 of the shortest two's complement of `number`, whose bits above 64 are `sign`.
std::string base64_number(uint64_t number, bool sign) {
  std::string bytes(1, sign ? '\xff' : '\0');
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  while (bytes.size() > 1 && ((bytes[0] == '\0' && (bytes[1] & 0x80) == 0) || (bytes[0] == '\xff' && (bytes[1] & 0x80) != 0))) {
    bytes.erase(0, 1);
  }
  return base64(bytes);
}

class FlinkGenerator {
 public:
  explicit FlinkGenerator(const GeneratorSettings& settings)
      : settings_(settings), random_(mix(settings.seed)), lines_(settings.out), offsets_(settings.partitions), tables_(settings.tables) {
    for (std::size_t i = 0; i < tables_.size(); ++i) tables_[i].name = "t" + std::to_string(i + 1);
  }

  void run() {
    while (written_ < settings_.events / 5) {
      Table& table = tables_[random_.below(tables_.size())];
      const int64_t id = add(table);
      event(table, "null", row_json(id, table.rows[id]), 'r');
    }
    while (written_ < settings_.events) change(tables_[random_.below(tables_.size())]);
    lines_.close();
    write_expected_rows(settings_.expected, tables_, kColumns, write_rows);
  }

 private:
  struct Table {
    std::string name;
    std::map<int64_t, FlinkRow> rows;
    int64_t last_id = 0;
  };

  FlinkRow make_row() {
    static const char* const kWords[] = {"naïve", "日本", "plain", "quote \"q\"", "back\\slash", "😀", "comma, here", ""};
    FlinkRow row;
    row.name = kWords[random_.below(7)] + std::to_string(random_.below(1'000'000));
    row.has_note = random_.below(4) != 0;
    row.note = std::string("note ") + kWords[random_.below(8)];
    row.cents = static_cast<int64_t>(random_.below(2'000'000'000)) - 1'000'000'000;
    row.serial = random_.below(10) == 0 ? 18'446'744'073'709'551'615ULL - random_.below(1000) : random_.below(1'000'000);
    row.placed_us = 1'700'000'000'000'000 + static_cast<int64_t>(random_.below(86'400'000'000));
    row.weight = static_cast<double>(random_.below(1'000'000)) / 64.0;
    return row;
  }

  int64_t add(Table& table) {
    table.rows[++table.last_id] = make_row();
    return table.last_id;
  }

  static std::string row_json(int64_t id, const FlinkRow& row) {
    return "{\"id\":" + std::to_string(id) + ",\"name\":" + json_text(row.name) +
           ",\"note\":" + (row.has_note ? json_text(row.note) : "null") + ",\"amount\":\"" +
           base64_number(static_cast<uint64_t>(row.cents), row.cents < 0) + "\",\"serial\":\"" + base64_number(row.serial, false) +
           "\",\"weight\":" + real_text(row.weight) + ",\"placed\":" + std::to_string(row.placed_us) + "}";
  }

  void change(Table& table) {
    // Rows of one event have one position.
    if (random_.below(4) != 0) {
      position_ += 50 + random_.below(400);
      row_ = 0;
      if (position_ > 4'000'000) {
        ++log_;
        position_ = 4;
      }
    } else {
      ++row_;
    }
    time_ms_ += static_cast<int64_t>(random_.below(3)) * 1000;
    const uint64_t draw = random_.below(100);
    auto found = table.rows.lower_bound(static_cast<int64_t>(random_.below(static_cast<uint64_t>(table.last_id) + 1)));
    if (found == table.rows.end() || draw < 20) {
      // A key may come back that was deleted before.
      const auto again = static_cast<int64_t>(random_.below(static_cast<uint64_t>(table.last_id) + 1));
      const bool is_free = again != 0 && !table.rows.contains(again);
      const int64_t id = is_free ? again : add(table);
      if (is_free) table.rows[id] = make_row();
      return event(table, "null", row_json(id, table.rows[id]), 'c');
    }
    const int64_t id = found->first;
    const std::string before = row_json(id, found->second);
    if (draw < 75) {
      found->second = make_row();
      return event(table, before, row_json(id, found->second), 'u');
    }
    event(table, before, "null", 'd');
    const FlinkRow row = found->second;
    table.rows.erase(found);
    if (draw < 88) return;
    table.rows[++table.last_id] = row;
    event(table, "null", row_json(table.last_id, row), 'c');
  }

  void event(const Table& table, const std::string& before, const std::string& after, char operation) {
    const bool is_change = operation != 'r';
    char log[32] = "";
    if (is_change) std::snprintf(log, sizeof log, "binlog.%06llu", static_cast<unsigned long long>(log_));
    const std::string value = "{\"before\":" + before + ",\"after\":" + after +
                              R"(,"source":{"version":"1.9.8.Final","connector":"mysql","name":"mysql_binlog_source","ts_ms":)" +
                              std::to_string(is_change ? time_ms_ : 0) + R"(,"snapshot":"false","db":"shop","sequence":null,"table":")" +
                              table.name + R"(","server_id":)" + (is_change ? "7" : "0") + R"(,"gtid":null,"file":")" + log +
                              R"(","pos":)" + std::to_string(is_change ? position_ : 0) + R"(,"row":)" +
                              std::to_string(is_change ? row_ : 0) + R"(,"thread":null,"query":null},"op":")" + operation +
                              R"(","ts_ms":)" + std::to_string(time_ms_ + 500) + R"(,"transaction":null})";
    const std::size_t partition = random_.below(settings_.partitions);
    const std::string line = "{\"topic\":\"flink.shop\",\"partition\":" + std::to_string(partition) +
                             ",\"offset\":" + std::to_string(offsets_[partition]++) + ",\"key\":null,\"payload\":" + json_text(value) +
                             "}\n";
    lines_.write(line);
    ++written_;
  }

  static void write_rows(Output& rows, const Table& table) {
    for (const auto& [id, row] : table.rows) {
      const uint64_t cents = static_cast<uint64_t>(row.cents < 0 ? -row.cents : row.cents);
      const std::string part = std::to_string(100 + cents % 100).substr(1);
      rows.write(std::to_string(id) + "," + csv_text(row.name) + "," + (row.has_note ? csv_text(row.note) : "\\N") + "," +
                 (row.cents < 0 ? "-" : "") + std::to_string(cents / 100) + "." + part + "," + std::to_string(row.serial) + "," +
                 real_text(row.weight) + "," + std::to_string(row.placed_us) + "\n");
    }
  }

  const GeneratorSettings settings_;
  Random random_;
  Output lines_;
  std::vector<int64_t> offsets_;
  std::vector<Table> tables_;
  uint64_t written_ = 0, log_ = 1, position_ = 4, row_ = 0;
  int64_t time_ms_ = 1'795'370'658'000;
};

}  // namespace

void generate_flink(const GeneratorSettings& settings) { FlinkGenerator(settings).run(); }

}  // namespace cdcrt::bench
