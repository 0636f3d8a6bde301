#include "debezium_events.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "debezium_rows.hpp"
#include "event_text.hpp"
#include "expected_rows.hpp"
#include "output.hpp"
#include "random.hpp"
#include "workload.hpp"

namespace cdcrt::bench {
namespace {

constexpr int kPartitions = 4;
constexpr int64_t kFirstMillisecond = 1'700'000'000'000;  // since 1970

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

constexpr std::string_view kKeySchema = R"({"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],)"
                                        R"("optional":false,"name":"bench.shop.Key"},"payload":)";

std::string envelope_schema(std::string_view table, std::string_view fields) {
  std::string schema = R"({"type":"struct","fields":[)";
  for (const std::string_view image : {"before", "after"}) {
    schema += R"({"type":"struct","fields":)" + std::string(fields) + R"(,"optional":true,"name":"bench.shop.)" + std::string(table) +
              R"(.Value","field":")" + std::string(image) + R"("},)";
  }
  return schema + std::string(kRest) + std::string(table) + R"(.Envelope","version":2})";
}

struct Topic {
  std::string name;
  std::array<int64_t, kPartitions> offsets{};
  std::vector<std::unique_ptr<Output>> pieces;  // by partition; none: lines
};

struct Table {
  std::string name;
  std::string schema, escaped_schema;  // up to the payload; empty: none
  std::vector<uint32_t> versions;      // of row id - 1; 0: deleted
};

class Generator {
 public:
  explicit Generator(const GeneratorSettings& settings)
      : settings_(settings), workload_(workload_named(settings.workload)), rows_(workload_, settings.seed, !settings.without_schemas),
        random_(mix(settings.seed)), lines_(settings.pieces.empty() ? settings.out : "/dev/null") {
    for (std::size_t table = 0; table < settings.tables; ++table) {
      Table& made = tables_.emplace_back();
      made.name = debezium_table_name(table);
      if (!settings_.without_schemas) made.schema = R"({"schema":)" + envelope_schema(made.name, rows_.fields()) + R"(,"payload":)";
      if (settings_.pieces.empty()) add_escaped(made.escaped_schema, made.schema);
    }
    if (!settings.topic.empty()) {
      topics_.push_back(make_topic(settings.topic));
    } else {
      for (const Table& table : tables_) topics_.push_back(make_topic("bench.shop." + table.name));
    }
  }

  void run() {
    for (std::size_t row = 0; row < workload_.rows; ++row) {
      for (std::size_t table = 0; table < tables_.size() && written_ < settings_.events; ++table) create(table);
    }
    while (written_ < settings_.events) step();
    lines_.close();
    for (Topic& topic : topics_) {
      for (const auto& piece : topic.pieces) piece->close();
    }
    write_expected_rows(settings_.expected, tables_, rows_.columns(),
                        [this](Output& rows, const Table& table) { write_rows(rows, table); });
  }

 private:
  [[nodiscard]] Topic make_topic(const std::string& name) const {
    Topic made;
    made.name = name;
    if (settings_.pieces.empty()) return made;
    std::filesystem::create_directories(settings_.pieces);
    for (int partition = 0; partition < kPartitions; ++partition) {
      made.pieces.push_back(std::make_unique<Output>(settings_.pieces + "/" + made.name + "-" + std::to_string(partition)));
    }
    return made;
  }

  void step() {
    const auto table = static_cast<std::size_t>(random_.below(tables_.size()));
    auto& versions = tables_[table].versions;
    const uint64_t draw = random_.below(100);
    const std::size_t place = place_of(versions);
    if (draw < workload_.creates || versions.empty() || versions[place] == 0) return create(table);
    if (draw < workload_.creates + workload_.updates || place < workload_.hot_rows) {
      ++versions[place];
      return change(table, place, 'u');
    }
    change(table, place, 'd');
    versions[place] = 0;
    if (written_ < settings_.events) message(table, static_cast<int64_t>(place) + 1, {});
  }

  /// Of the row that a change is about.
  std::size_t place_of(const std::vector<uint32_t>& versions) {
    if (versions.empty()) return 0;
    const bool is_hot = workload_.hot_rows != 0 && random_.below(10) != 0;
    if (is_hot) return static_cast<std::size_t>(random_.below(workload_.hot_rows));
    // As many rows behind the hot ones stay as they are: they tell when the first commit was.
    const std::size_t calm = 2 * workload_.hot_rows;
    return calm + static_cast<std::size_t>(random_.below(versions.size() - calm));
  }

  void create(std::size_t table) {
    tables_[table].versions.push_back(1);
    change(table, tables_[table].versions.size() - 1, workload_.snapshot ? 'r' : 'c');
  }

  void change(std::size_t table, std::size_t place, char operation) {
    const auto id = static_cast<int64_t>(place) + 1;
    if (!workload_.snapshot) lsn_ += 8 * (1 + static_cast<int64_t>(random_.below(40)));
    const int64_t milliseconds = kFirstMillisecond + lsn_ / 1000;
    body_.clear();
    body_ += R"({"before":)";
    if (operation == 'd') {
      rows_.add_key_json(body_, id);
      body_ += R"(,"after":null)";
    } else {
      body_ += R"(null,"after":)";
      rows_.add_json(body_, table, id, tables_[table].versions[place]);
    }
    body_ += R"(,"source":{"version":"3.2.0.Final","connector":"postgresql","name":"bench","ts_ms":)";
    add_number(body_, milliseconds);
    body_ += workload_.snapshot ? R"(,"snapshot":"true")" : R"(,"snapshot":"false")";
    body_ += R"(,"db":"bench","sequence":"[\")";
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
    const Table& table = tables_[number];
    Topic& topic = topics_[number % topics_.size()];
    const auto partition = static_cast<std::size_t>(mix(static_cast<uint64_t>(id)) % kPartitions);
    line_.clear();
    if (topic.pieces.empty()) {
      add_line(topic, table, partition, id, body);
      lines_.write(line_);
    } else {
      add_piece(table, id, body);
      topic.pieces[partition]->write(line_);
    }
    ++written_;
  }

  [[nodiscard]] std::string key(int64_t id) const {
    std::string text = R"({"id":)" + std::to_string(id) + "}";
    return settings_.without_schemas ? text : std::string(kKeySchema) + text + "}";
  }

  /// KEY \x02 VALUE \x01; an empty value is null (kcat -P -K -D -Z).
  void add_piece(const Table& table, int64_t id, std::string_view body) {
    line_ += key(id);
    line_ += '\x02';
    if (!body.empty()) {
      line_ += table.schema;
      line_ += body;
      if (!settings_.without_schemas) line_ += '}';
    }
    line_ += '\x01';
  }

  void add_line(Topic& topic, const Table& table, std::size_t partition, int64_t id, std::string_view body) {
    line_ += R"({"topic":")";
    line_ += topic.name;
    line_ += R"(","partition":)";
    add_number(line_, static_cast<int64_t>(partition));
    line_ += R"(,"offset":)";
    add_number(line_, topic.offsets[partition]++);
    line_ += R"(,"tstype":"create","ts":)";
    add_number(line_, kFirstMillisecond + lsn_ / 1000);
    line_ += R"(,"headers":[],"key":")";
    add_escaped(line_, key(id));
    line_ += R"(","payload":)";
    if (body.empty()) {
      line_ += "null}\n";
    } else {
      line_ += '"';
      line_ += table.escaped_schema;
      add_escaped(line_, body);
      line_ += settings_.without_schemas ? "\"}\n" : "}\"}\n";
    }
  }

  void write_rows(Output& rows, const Table& table) {
    const auto number = static_cast<std::size_t>(&table - tables_.data());
    for (std::size_t place = 0; place < table.versions.size(); ++place) {
      if (table.versions[place] == 0) continue;
      line_.clear();
      rows_.add_csv(line_, number, static_cast<int64_t>(place) + 1, table.versions[place]);
      rows.write(line_);
    }
  }

  const GeneratorSettings settings_;
  const Workload& workload_;
  const DebeziumRows rows_;
  Random random_;
  Output lines_;
  std::vector<Topic> topics_;
  std::vector<Table> tables_;
  std::string line_, body_;
  uint64_t written_ = 0;
  int64_t lsn_ = 1'000'000;
};

}  // namespace

void generate_debezium(const GeneratorSettings& settings) { Generator(settings).run(); }

}  // namespace cdcrt::bench
