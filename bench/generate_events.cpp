// Writes change events as Debezium's PostgreSQL connector does, and the rows they end in: one `kcat -J` line a message, or files for
// `kcat -P`, one for each partition.
//
// Deterministic by seed. A row's cells are a function of (seed, table, id, version), so that the state kept is one number a row.

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dms_events.hpp"
#include "event_text.hpp"
#include "flink_events.hpp"
#include "output.hpp"
#include "random.hpp"

namespace {

using namespace cdcrt::bench;

constexpr int kPartitions = 4;
constexpr std::array<std::string_view, 4> kNames = {"customers", "orders", "items", "visits"};
constexpr int64_t kFirstMoment = 1'700'000'000'000'000;  // microseconds since 1970
constexpr int64_t kDay = 86'400'000'000;

struct Settings {
  uint64_t events = 1'000'000;
  uint64_t seed = 1;
  std::size_t tables = kNames.size();
  bool schemas = true;
  std::string topic;  // of all tables; empty: each has its own
  std::string out = "-";
  std::string pieces;    // folder; empty: lines to `out`
  std::string expected;  // folder; empty: not written
};

struct Row {
  int64_t id = 0;
  std::string name, note;
  bool has_note = false, active = false;
  int64_t cents = 0, quantity = 0, placed = 0, created = 0;
  double weight = 0;
};

constexpr std::array<std::string_view, 8> kWords = {"naïve",       "日本", "plain",       "quote \"q\"",
                                                    "back\\slash", "😀",    "comma, here", "x'; drop table y"};

std::string name_of(std::size_t table) {
  std::string name(kNames[table % kNames.size()]);
  if (table >= kNames.size()) add_number(name, static_cast<int64_t>(table / kNames.size() + 1));
  return name;
}

Row row_of(uint64_t seed, std::size_t table, int64_t id, uint32_t version) {
  Random random(mix(seed ^ mix(static_cast<uint64_t>(id) * 4 + table)) + static_cast<uint64_t>(version) * 0x10001);
  Row row;
  row.id = id;
  row.name = name_of(table) + " " + std::string(kWords[random.below(kWords.size())]) + " " + std::to_string(random.below(1'000'000));
  row.has_note = random.below(8) != 0;
  for (uint64_t i = 0, words = 2 + random.below(6); i < words; ++i) row.note += std::string(kWords[random.below(kWords.size())]) + " ";
  row.active = random.below(2) != 0;
  row.cents = static_cast<int64_t>(random.below(2'000'000'000)) - 1'000'000'000;
  row.quantity = static_cast<int64_t>(random.below(100'000)) - 50'000;
  row.placed = kFirstMoment + static_cast<int64_t>(random.below(1000ULL * static_cast<uint64_t>(kDay)));
  row.created = kFirstMoment + id * 1'000'003;
  row.weight = static_cast<double>(static_cast<int64_t>(random.below(1'000'000))) / 64.0;
  return row;
}

void add_cents(std::string& text, int64_t cents) {
  if (cents < 0) text += '-';
  add_number(text, std::llabs(cents) / 100);
  text += '.';
  add_padded(text, std::llabs(cents) % 100, 2);
}

void add_row_json(std::string& text, const Row& row, bool schemas) {
  text += R"({"id":)";
  add_number(text, row.id);
  text += R"(,"name":")";
  add_escaped(text, row.name);
  text += R"(","note":)";
  if (row.has_note) {
    text += '"';
    add_escaped(text, row.note);
    text += '"';
  } else {
    text += "null";
  }
  text += row.active ? R"(,"active":true,"amount":")" : R"(,"active":false,"amount":")";
  if (schemas) {
    text += base64(big_endian(row.cents));
  } else {
    add_cents(text, row.cents);
  }
  text += R"(","quantity":)";
  add_number(text, row.quantity);
  text += R"(,"weight":)";
  text += real_text(row.weight);
  text += R"(,"placed":)";
  add_number(text, row.placed);
  text += R"(,"created":")";
  add_moment(text, row.created, 'T', "Z");
  text += "\"}";
}

constexpr std::string_view kFields =
    R"([{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},)"
    R"({"type":"string","optional":true,"field":"note"},{"type":"boolean","optional":true,"field":"active"},)"
    R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,)"
    R"("parameters":{"scale":"2","connect.decimal.precision":"12"},"field":"amount"},)"
    R"({"type":"int32","optional":true,"field":"quantity"},{"type":"double","optional":true,"field":"weight"},)"
    R"({"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"placed"},)"
    R"({"type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"created"}])";

constexpr std::string_view kRest =
    R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},{"type":"string","optional":false,"field":"connector"},)"
    R"({"type":"string","optional":false,"field":"name"},{"type":"int64","optional":false,"field":"ts_ms"},)"
    R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":)"
    R"("true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"},)"
    R"({"type":"string","optional":false,"field":"db"},{"type":"string","optional":true,"field":"sequence"},)"
    R"({"type":"int64","optional":true,"field":"ts_us"},{"type":"int64","optional":true,"field":"ts_ns"},)"
    R"({"type":"string","optional":false,"field":"schema"},{"type":"string","optional":false,"field":"table"},)"
    R"({"type":"int64","optional":true,"field":"txId"},{"type":"int64","optional":true,"field":"lsn"},)"
    R"({"type":"int64","optional":true,"field":"xmin"}],"optional":false,"name":"io.debezium.connector.postgresql.Source","version":1,)"
    R"("field":"source"},{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},)"
    R"({"type":"int64","optional":false,"field":"total_order"},{"type":"int64","optional":false,"field":"data_collection_order"}],)"
    R"("optional":true,"name":"event.block","version":1,"field":"transaction"},{"type":"string","optional":false,"field":"op"},)"
    R"({"type":"int64","optional":true,"field":"ts_ms"},{"type":"int64","optional":true,"field":"ts_us"},)"
    R"({"type":"int64","optional":true,"field":"ts_ns"}],"optional":false,"name":"bench.shop.)";

std::string envelope_schema(std::string_view table) {
  std::string schema = R"({"type":"struct","fields":[)";
  for (const std::string_view image : {"before", "after"}) {
    schema += R"({"type":"struct","fields":)" + std::string(kFields) + R"(,"optional":true,"name":"bench.shop.)" + std::string(table) +
              R"(.Value","field":")" + std::string(image) + R"("},)";
  }
  return schema + std::string(kRest) + std::string(table) + R"(.Envelope","version":2})";
}

/// A folder's files, one for each partition of a topic.
using Pieces = std::vector<std::unique_ptr<Output>>;

struct Table {
  std::string name;
  std::string schema, escaped_schema;  // up to the payload; empty: none
  std::vector<uint32_t> versions;      // of row id - 1; 0: deleted
  std::array<int64_t, kPartitions> offsets{};
  Pieces pieces;  // none: lines, or those of the one topic
};

class Generator {
 public:
  explicit Generator(const Settings& settings)
      : settings_(settings), random_(mix(settings.seed)), lines_(settings.pieces.empty() ? settings.out : "/dev/null") {
    if (!settings.pieces.empty()) std::filesystem::create_directories(settings.pieces);
    if (!settings.topic.empty()) shared_pieces_ = pieces_of(settings.topic);
    for (std::size_t table = 0; table < settings.tables; ++table) {
      Table& made = tables_.emplace_back();
      made.name = name_of(table);
      if (settings_.schemas) made.schema = R"({"schema":)" + envelope_schema(made.name) + R"(,"payload":)";
      add_escaped(made.escaped_schema, made.schema);
      if (settings_.topic.empty()) made.pieces = pieces_of("bench.shop." + made.name);
    }
  }

  void run() {
    while (written_ < settings_.events) step();
    lines_.close();
    for (const auto& piece : shared_pieces_) piece->close();
    for (Table& table : tables_) {
      for (const auto& piece : table.pieces) piece->close();
    }
    if (!settings_.expected.empty()) write_expected();
  }

 private:
  [[nodiscard]] Pieces pieces_of(const std::string& topic) const {
    Pieces pieces;
    for (int partition = 0; partition < kPartitions && !settings_.pieces.empty(); ++partition) {
      pieces.push_back(std::make_unique<Output>(settings_.pieces + "/" + topic + "-" + std::to_string(partition)));
    }
    return pieces;
  }

  void step() {
    const auto table = static_cast<std::size_t>(random_.below(tables_.size()));
    auto& versions = tables_[table].versions;
    const uint64_t draw = random_.below(100);
    const std::size_t place = versions.empty() ? 0 : static_cast<std::size_t>(random_.below(versions.size()));
    if (draw < 50 || versions.empty() || versions[place] == 0) {
      versions.push_back(1);
      change(table, versions.size() - 1, 'c');
    } else if (draw < 93) {
      ++versions[place];
      change(table, place, 'u');
    } else {
      change(table, place, 'd');
      versions[place] = 0;
      if (written_ < settings_.events) message(table, static_cast<int64_t>(place) + 1, {});
    }
  }

  void change(std::size_t table, std::size_t place, char operation) {
    const auto id = static_cast<int64_t>(place) + 1;
    lsn_ += 8 * (1 + static_cast<int64_t>(random_.below(40)));
    const int64_t milliseconds = kFirstMoment / 1000 + lsn_ / 1000;
    body_.clear();
    body_ += R"({"before":)";
    if (operation == 'd') {
      body_ += R"({"id":)";
      add_number(body_, id);
      body_ +=
          R"(,"name":null,"note":null,"active":null,"amount":null,"quantity":null,"weight":null,"placed":null,"created":null},"after":null)";
    } else {
      body_ += R"(null,"after":)";
      add_row_json(body_, row_of(settings_.seed, table, id, tables_[table].versions[place]), settings_.schemas);
    }
    body_ += R"(,"source":{"version":"3.2.0.Final","connector":"postgresql","name":"bench","ts_ms":)";
    add_number(body_, milliseconds);
    body_ += R"(,"snapshot":"false","db":"bench","sequence":"[\")";
    add_number(body_, lsn_ - 8);
    body_ += R"(\",\")";
    add_number(body_, lsn_);
    body_ += R"(\"]","schema":"shop","table":")";
    body_ += tables_[table].name;
    body_ += R"(","txId":7,"lsn":)";
    add_number(body_, lsn_);
    body_ += R"(,"xmin":null},"transaction":null,"op":")";
    body_ += operation;
    body_ += R"(","ts_ms":)";
    add_number(body_, milliseconds);
    body_ += '}';
    message(table, id, body_);
  }

  /// An empty body is a tombstone.
  void message(std::size_t number, int64_t id, std::string_view body) {
    Table& table = tables_[number];
    const auto partition = static_cast<std::size_t>(mix(static_cast<uint64_t>(id)) % kPartitions);
    line_.clear();
    if (settings_.pieces.empty()) {
      add_line(table, partition, id, body);
      lines_.write(line_);
    } else {
      add_piece(table, id, body);
      (settings_.topic.empty() ? table.pieces : shared_pieces_)[partition]->write(line_);
    }
    ++written_;
  }

  /// KEY \x02 VALUE \x01; an empty value is null (kcat -P -K -D -Z).
  void add_piece(const Table& table, int64_t id, std::string_view body) {
    if (settings_.schemas)
      line_ += R"({"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],)"
               R"("optional":false,"name":"bench.shop.Key"},"payload":)";
    line_ += R"({"id":)";
    add_number(line_, id);
    line_ += settings_.schemas ? "}}\x02" : "}\x02";
    if (!body.empty()) {
      line_ += table.schema;
      line_ += body;
      if (settings_.schemas) line_ += '}';
    }
    line_ += '\x01';
  }

  void add_line(Table& table, std::size_t partition, int64_t id, std::string_view body) {
    line_ += R"({"topic":")";
    line_ += settings_.topic.empty() ? "bench.shop." + table.name : settings_.topic;
    line_ += R"(","partition":)";
    add_number(line_, static_cast<int64_t>(partition));
    line_ += R"(,"offset":)";
    add_number(line_, (settings_.topic.empty() ? table.offsets : shared_offsets_)[partition]++);
    line_ += R"(,"tstype":"create","ts":)";
    add_number(line_, kFirstMoment / 1000 + lsn_ / 1000);
    line_ += settings_.schemas
                 ? R"(,"headers":[],"key":"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int64\",\"optional\":false,)"
                   R"(\"field\":\"id\"}],\"optional\":false,\"name\":\"bench.shop.Key\"},\"payload\":{\"id\":)"
                 : R"(,"headers":[],"key":"{\"id\":)";
    add_number(line_, id);
    line_ += settings_.schemas ? R"(}}","payload":)" : R"(}","payload":)";
    if (body.empty()) {
      line_ += "null}\n";
    } else {
      line_ += '"';
      line_ += table.escaped_schema;
      add_escaped(line_, body);
      line_ += settings_.schemas ? "}\"}\n" : "\"}\n";
    }
  }

  void write_expected() {
    std::filesystem::create_directories(settings_.expected);
    Output types(settings_.expected + "/types.toml");
    types.write(kTypesHeader);
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      const auto& versions = tables_[table].versions;
      const std::string name = "shop." + tables_[table].name;
      types.write("\n[\"" + name + "\"]\nkey = [\"id\"]\n[\"" + name +
                  "\".columns]\nid = \"int64\"\nname = \"string\"\nnote = \"string\"\n" +
                  "active = \"bool\"\namount = \"decimal\"\nquantity = \"int32\"\nweight = \"float64\"\nplaced = \"" +
                  (settings_.schemas ? "timestamp" : "int64") + "\"\ncreated = \"timestamptz\"\n");
      Output rows(settings_.expected + "/" + name + ".csv");
      rows.write("id,name,note,active,amount,quantity,weight,placed,created\n");
      for (std::size_t place = 0; place < versions.size(); ++place) {
        if (versions[place] != 0) write_csv(rows, row_of(settings_.seed, table, static_cast<int64_t>(place) + 1, versions[place]));
      }
      rows.close();
    }
    types.close();
  }

  void write_csv(Output& rows, const Row& row) {
    line_.clear();
    add_number(line_, row.id);
    line_ += ',';
    line_ += csv_text(row.name);
    line_ += ',';
    line_ += row.has_note ? csv_text(row.note) : "\\N";
    line_ += row.active ? ",t," : ",f,";
    add_cents(line_, row.cents);
    line_ += ',';
    add_number(line_, row.quantity);
    line_ += ',';
    line_ += real_text(row.weight);
    line_ += ',';
    settings_.schemas ? add_moment(line_, row.placed, ' ', "") : add_number(line_, row.placed);
    line_ += ',';
    add_moment(line_, row.created, ' ', "+00");
    line_ += '\n';
    rows.write(line_);
  }

  Settings settings_;
  Random random_;
  Output lines_;
  std::vector<Table> tables_;
  Pieces shared_pieces_;  // of the one topic
  std::array<int64_t, kPartitions> shared_offsets_{};
  std::string line_, body_;
  uint64_t written_ = 0;
  int64_t lsn_ = 1'000'000;
};

Settings parse(int count, char** arguments) {
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--no-schemas") {
      settings.schemas = false;
      continue;
    }
    if (i + 1 >= count)
      throw std::runtime_error(
          "usage: generate_events [--events N] [--seed N] [--tables N] [--topic NAME] [--no-schemas] [--out FILE|- | --pieces FOLDER] [--expected "
          "FOLDER]");
    const std::string value = arguments[++i];
    if (name == "--format") continue;
    if (name == "--events") {
      settings.events = std::stoull(value);
    } else if (name == "--seed") {
      settings.seed = std::stoull(value);
    } else if (name == "--tables") {
      settings.tables = std::stoull(value);
    } else if (name == "--topic") {
      settings.topic = value;
    } else if (name == "--out") {
      settings.out = value;
    } else if (name == "--pieces") {
      settings.pieces = value;
    } else if (name == "--expected") {
      settings.expected = value;
    } else {
      throw std::runtime_error("unknown option " + std::string(name));
    }
  }
  // A topic of its own for each means files that are open at once.
  const std::size_t most = settings.pieces.empty() || !settings.topic.empty() ? 100'000 : 200;
  if (settings.tables == 0 || settings.tables > most) throw std::runtime_error("--tables: from 1 to " + std::to_string(most));
  return settings;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    for (int i = 1; i + 1 < count; ++i) {
      if (arguments[i] != std::string_view("--format") || arguments[i + 1] == std::string_view("debezium")) continue;
      if (arguments[i + 1] == std::string_view("dms")) {
        cdcrt::bench::generate_dms(count, arguments);
      } else if (arguments[i + 1] == std::string_view("flink-cdc")) {
        cdcrt::bench::generate_flink(count, arguments);
      } else {
        throw std::runtime_error("--format: debezium, dms or flink-cdc");
      }
      return 0;
    }
    Generator(parse(count, arguments)).run();
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "generate_events: %s\n", exception.what());
    return 1;
  }
}
