// A task that starts (drop-table and create-table under the task's key), loads each table (under keys of rows) and goes on with its changes
// (under the table's key), so that a row's load, its changes and the table's key lie in different partitions. --random-partitions puts
// every message anywhere. NULLs are left out, as by default there. Deterministic by seed.
#include "dms_events.hpp"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::bench {
namespace {

struct DmsSettings {
  uint64_t events = 1'000'000;
  uint64_t seed = 1;
  std::size_t tables = 4, partitions = 4;
  bool random_partitions = false, details = false;
  std::string out = "-", expected;
};

class DmsRandom {
 public:
  explicit DmsRandom(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}
  uint64_t below(uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15ULL;
    uint64_t value = state_;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return (value ^ (value >> 31)) % bound;
  }

 private:
  uint64_t state_;
};

struct DmsRow {
  std::string name, note, amount, placed, photo;
  bool has_note = false, active = false;
  int64_t quantity = 0;
  uint64_t serial = 0;
  double weight = 0;
};

constexpr int64_t kStart = 1'749'554'880'000'000;  // 2025-06-10T11:28:00Z

std::string format(const char* pattern, auto... values) {
  char text[128];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// Of a day and the microseconds in it: the days differ little, so that a month is enough.
std::string moment(int64_t microseconds, char separator) {
  const int64_t since = microseconds - kStart;
  const int64_t seconds = 11 * 3600 + 28 * 60 + since / 1'000'000;
  return format("2025-%02d-%02d%c%02d:%02d:%02d.%06d", static_cast<int>(6 + seconds / 86400 / 18),
                static_cast<int>(10 + seconds / 86400 % 18), separator, static_cast<int>(seconds / 3600 % 24),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60), static_cast<int>(since % 1'000'000));
}

std::string json_text(std::string_view raw) {
  std::string text = "\"";
  for (const char c : raw) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string csv_text(std::string_view raw) {
  std::string text = "\"";
  for (const char c : raw) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

class DmsGenerator {
 public:
  explicit DmsGenerator(const DmsSettings& settings)
      : settings_(settings), random_(settings.seed), offsets_(settings.partitions), tables_(settings.tables) {
    file_ = settings.out == "-" ? stdout : std::fopen(settings.out.c_str(), "wb");
    if (file_ == nullptr) throw std::runtime_error("cannot write " + settings.out + ": " + std::strerror(errno));
    for (std::size_t i = 0; i < tables_.size(); ++i) tables_[i].name = "t" + std::to_string(i + 1);
  }
  DmsGenerator(const DmsGenerator&) = delete;
  DmsGenerator& operator=(const DmsGenerator&) = delete;
  ~DmsGenerator() {
    if (file_ != stdout) std::fclose(file_);
  }

  void run() {
    for (Table& table : tables_) define(table);
    while (written_ < settings_.events / 4) load(tables_[random_.below(tables_.size())]);
    while (written_ < settings_.events) change(tables_[random_.below(tables_.size())]);
    if (std::fflush(file_) != 0) throw std::runtime_error(std::string("write failed: ") + std::strerror(errno));
    if (!settings_.expected.empty()) write_expected();
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
    row.placed = moment(kStart + static_cast<int64_t>(random_.below(86'400'000'000)), 'T');
    for (uint64_t i = random_.below(6); i > 0; --i) row.photo += format("%02X", static_cast<unsigned>(random_.below(256)));
    return row;
  }

  static std::string data_of(int64_t id, const DmsRow& row) {
    std::string text = "{\"id\":" + std::to_string(id) + ",\"name\":" + json_text(row.name);
    if (row.has_note) text += ",\"note\":" + json_text(row.note);
    return text + ",\"active\":\"" + (row.active ? "true" : "false") + "\",\"amount\":" + row.amount +
           ",\"quantity\":" + std::to_string(row.quantity) + ",\"serial\":" + std::to_string(row.serial) +
           ",\"weight\":" + format("%.10g", row.weight) + ",\"placed\":\"" + row.placed + "Z\",\"photo\":\"0x" + row.photo + "\"}";
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
    std::string payload = "{" + part + ",\"metadata\":{\"timestamp\":\"" + moment(time_, 'T') + "Z\",\"record-type\":\"" + type +
                          "\",\"operation\":\"" + operation + "\",\"partition-key-type\":\"" + key_type +
                          "\",\"schema-name\":\"shop\",\"table-name\":\"" + table.name + "\"";
    if (settings_.details && std::strcmp(type, "data") == 0 && std::strcmp(operation, "load") != 0) {
      payload += format(R"(,"transaction-id":%lld,"transaction-record-id":%llu,"commit-timestamp":"%sZ")", static_cast<long long>(time_),
                        static_cast<unsigned long long>(transaction_record_), moment(time_ - time_ % 1'000'000, 'T').c_str());
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
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size())
      throw std::runtime_error(std::string("write failed: ") + std::strerror(errno));
    ++written_;
  }

  void write_expected() const {
    std::filesystem::create_directories(settings_.expected);
    std::string types = "# The kind of every column at the source: how tests/oracle/compare.py reads both sides.\n";
    for (const Table& table : tables_) {
      types +=
          "\n[\"shop." + table.name + "\"]\nkey = [\"id\"]\n[\"shop." + table.name +
          "\".columns]\nid = \"int64\"\nname = \"string\"\nnote = \"string\"\nactive = \"bool\"\namount = \"decimal\"\nquantity = \"int32\"\n"
          "serial = \"decimal\"\nweight = \"float64\"\nplaced = \"timestamp\"\nphoto = \"bytes\"\n";
      std::string text = "id,name,note,active,amount,quantity,serial,weight,placed,photo\n";
      for (const auto& [id, row] : table.rows) {
        std::string photo = "\\x";
        for (const char c : row.photo) photo += c >= 'A' ? static_cast<char>(c - 'A' + 'a') : c;
        std::string placed = row.placed;
        placed[10] = ' ';
        text += std::to_string(id) + "," + csv_text(row.name) + "," + (row.has_note ? csv_text(row.note) : "\\N") +
                (row.active ? ",t," : ",f,") + row.amount + "," + std::to_string(row.quantity) + "," + std::to_string(row.serial) + "," +
                format("%.10g", row.weight) + "," + placed + "," + photo + "\n";
      }
      write(settings_.expected + "/shop." + table.name + ".csv", text);
    }
    write(settings_.expected + "/types.toml", types);
  }

  static void write(const std::string& path, const std::string& text) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
    const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (std::fclose(file) != 0 || !is_written) throw std::runtime_error("cannot write " + path);
  }

  const DmsSettings settings_;
  DmsRandom random_;
  std::vector<int64_t> offsets_;
  std::vector<Table> tables_;
  std::FILE* file_ = nullptr;
  uint64_t written_ = 0, transaction_record_ = 0;
  int64_t time_ = kStart;
};

DmsSettings parse_dms(int count, char** arguments) {
  DmsSettings settings;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--random-partitions") {
      settings.random_partitions = true;
      continue;
    }
    if (name == "--details") {
      settings.details = true;
      continue;
    }
    if (i + 1 >= count) throw std::runtime_error("a value is missing after " + std::string(name));
    const std::string value = arguments[++i];
    if (name == "--events") {
      settings.events = std::stoull(value);
    } else if (name == "--seed") {
      settings.seed = std::stoull(value);
    } else if (name == "--tables") {
      settings.tables = std::stoull(value);
    } else if (name == "--partitions") {
      settings.partitions = std::stoull(value);
    } else if (name == "--out") {
      settings.out = value;
    } else if (name == "--expected") {
      settings.expected = value;
    } else if (name != "--format") {
      throw std::runtime_error("unknown option of --format dms: " + std::string(name));
    }
  }
  if (settings.tables == 0 || settings.partitions == 0) throw std::runtime_error("--tables, --partitions: at least 1");
  return settings;
}

}  // namespace

void generate_dms(int count, char** arguments) { DmsGenerator(parse_dms(count, arguments)).run(); }

}  // namespace cdcrt::bench
