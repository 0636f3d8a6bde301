// From the bytes of events to what is bound: nothing is allocated, and no lock is taken, for each row.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "apply/memory_sink_calls.hpp"
#include "apply/rig.hpp"
#include "debezium/json_format.hpp"
#include "hot_path/counted.hpp"
#include "postgresql/array_parameters.hpp"
#include "sql/cell.hpp"

using namespace cdcrt;
using test::counted;
using test::Counted;

namespace {

/// For so many rows more: blocks of arenas and arrays that grow, of which there are some tens. One for each row would be a thousand.
constexpr uint64_t kMost = 150;
constexpr int64_t kRows = 1'000;

struct Decoder : debezium::JsonFormat {
  static constexpr const char* kSummary = "";
  sdk::Status configure(const sdk::Config&) override { return {}; }
};

constexpr const char* kText = "a note that is longer than what a string holds by itself, \\\"quoted\\\"";

/// Every third of them changes or deletes a row that came before.
std::string event_of(int64_t number, bool schemas) {
  const bool is_new = number % 3 != 2;
  const std::string id = std::to_string(is_new ? number : number - 2);
  const std::string row = R"({"id":)" + id + R"(,"name":"the name of row )" + id + R"( in full","note":")" + kText +
                          R"(","active":true,"quantity":-17,"weight":2419.703125,"placed":1767952652466649})";
  const char* const operation = is_new ? "c" : number % 2 == 0 ? "u" : "d";
  const std::string payload = R"({"before":)" + (is_new ? "null" : row) + R"(,"after":)" + (*operation == 'd' ? "null" : row) +
                              R"(,"source":{"version":"3.2.0.Final","connector":"postgresql","name":"bench","ts_ms":1700000001000,)"
                              R"("snapshot":"false","db":"bench","sequence":"[\"1000216\",\"1000224\"]","schema":"shop","table":"orders",)"
                              R"("txId":7,"lsn":)" +
                              std::to_string(1'000'000 + number) + R"(,"xmin":null},"transaction":null,"op":")" + operation +
                              R"(","ts_ms":1700000001000})";
  if (!schemas) return payload;
  const auto field = [](const char* name, const char* type, const char* more = "") {
    return std::string(R"({"type":")") + type + R"(","optional":)" + (std::string(name) == "id" ? "false" : "true") + more +
           R"(,"field":")" + name + "\"}";
  };
  const std::string columns = field("id", "int64") + "," + field("name", "string") + "," + field("note", "string") + "," +
                              field("active", "boolean") + "," + field("quantity", "int32") + "," + field("weight", "double") + "," +
                              field("placed", "int64", R"(,"name":"io.debezium.time.MicroTimestamp","version":1)");
  const auto part = [&](const char* name) {
    return R"({"type":"struct","fields":[)" + columns + R"(],"optional":true,"name":"bench.shop.orders.Value","field":")" + name + "\"}";
  };
  return R"({"schema":{"type":"struct","fields":[)" + part("before") + "," + part("after") + "," + R"({"type":"struct","fields":[)" +
         field("connector", "string") + R"(],"optional":false,"field":"source"},)" + field("op", "string") +
         R"(],"optional":false,"name":"bench.shop.orders.Envelope"},"payload":)" + payload + "}";
}

/// A log, read and written as a worker and a writer do it, with what each step took.
class Path {
 public:
  explicit Path(bool schemas) : schemas_(schemas), rows_(rig_.shapes()) {}

  struct Steps {
    Counted decode, fold, write;
  };
  /// The next `count` events of both partitions together.
  Steps run(int64_t count) {
    Steps steps;
    for (int32_t partition = 0; partition < 2; ++partition) {
      read(partition, count / 2);
      rows_.clear();
      const Counted begin = counted();
      sdk::RowBuilder builder(*rows_.abi());
      REQUIRE(decoder_.decode(sdk::Messages(given_), builder));
      rows_.settle(given_.count);
      const Counted decoded = counted();
      {
        const test::Uncounted pause;
        REQUIRE(rows_.rejects().empty());
        REQUIRE(rows_.size() == given_.count);
        indexes_.clear();
        for (uint32_t i = 0; i < rows_.size(); ++i) indexes_.push_back(i);
      }
      progress::Partition& of = *rig_.partitions[static_cast<std::size_t>(partition)];
      const int64_t next = messages_.back().offset + 1;
      rig_.table->accept({of, given_, rows_, rig_.shapes(), next}, indexes_.data(), indexes_.size(),
                         [](const apply::Refusal& refusal) { FAIL(refusal.error.message); });
      const Counted folded = counted();
      const test::Uncounted pause;
      of.routed(0, next);
      steps.decode = sum(steps.decode, decoded - begin);
      steps.fold = sum(steps.fold, folded - decoded);
    }
    const Counted begin = counted();
    const auto written = rig_.write();
    steps.write = counted() - begin;
    REQUIRE_MESSAGE(written, (written ? "" : written.error().message));
    return steps;
  }
  [[nodiscard]] std::size_t stored() const { return rig_.database.tables.at("shop.orders").rows.size(); }

 private:
  static Counted sum(const Counted& one, const Counted& other) { return {one.allocations + other.allocations, one.locks + other.locks}; }
  void read(int32_t partition, int64_t count) {
    texts_.clear();
    keys_.clear();
    messages_.clear();
    int64_t& offset = offsets_[partition];
    for (int64_t i = 0; i < count; ++i, ++offset) {
      const int64_t number = partition * 1'000'000'000 + offset;  // of the rows of its own
      texts_.push_back(event_of(number, schemas_));
      keys_.push_back(R"({"id":)" + std::to_string(number % 3 != 2 ? number : number - 2) + "}");
    }
    for (int64_t i = 0; i < count; ++i) {
      cdcrt_message& message = messages_.emplace_back();
      message.offset = offset - count + i;
      message.timestamp_ms = 1'700'000'001'000;
      message.key = sdk::borrow(keys_[static_cast<std::size_t>(i)]);
      message.value = sdk::borrow(texts_[static_cast<std::size_t>(i)]);
    }
    given_ = {};
    given_.size = sizeof given_;
    given_.topic = sdk::borrow("bench.shop.orders");
    given_.partition = partition;
    given_.messages = messages_.data();
    given_.message_size = sizeof(cdcrt_message);
    given_.count = static_cast<uint32_t>(messages_.size());
  }

  const bool schemas_;
  rig::Rig rig_{route::Route(), 2};
  event::RowBatch rows_;
  Decoder decoder_;
  int64_t offsets_[2] = {0, 0};
  std::vector<std::string> texts_, keys_;
  std::vector<cdcrt_message> messages_;
  std::vector<uint32_t> indexes_;
  cdcrt_messages given_{};
};

void check_steps(bool schemas) {
  CAPTURE(schemas);
  memory_sink::on_call = test::pause;  // what it takes is its own
  Path path(schemas);
  for (int round = 0; round < 4; ++round) path.run(2 * kRows);
  const Path::Steps small = path.run(kRows), large = path.run(2 * kRows);
  const Counted decode = large.decode - small.decode, fold = large.fold - small.fold, write = large.write - small.write;
  MESSAGE("allocations for a thousand rows more: decoding " << decode.allocations << ", folding " << fold.allocations << ", writing "
                                                            << write.allocations << "; locks of folding " << fold.locks);
  CHECK(decode.allocations < kMost);
  CHECK(fold.allocations < kMost);
  CHECK(fold.locks < kMost);
  CHECK(write.allocations < kMost);
  CHECK(path.stored() > 3 * kRows);
}

}  // namespace

TEST_CASE("hot path: rows are decoded, folded and written without an allocation or a lock for each") {
  check_steps(false);
  check_steps(true);
}

TEST_CASE("hot path: what a batch takes of its table does not depend on how many columns that has") {
  const auto allocations_with = [](int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back("a column of a name that is long, number " + std::to_string(i));
    rig::Rig rig;
    const auto send = [&](int64_t id, const char* order) {
      rig::Event event;
      event.columns.push_back({"id", rig::kInt, 1});
      event.cells.push_back(rig::integer(id));
      event.order = order;
      for (const auto& name : names) {
        event.columns.push_back({name.c_str(), rig::kInt});
        event.cells.push_back(rig::integer(id));
      }
      rig.send(event);
    };
    for (int64_t id = 1; id <= 3; ++id) {
      send(id, "0001");
      REQUIRE(rig.write());
    }
    send(4, "0002");
    const Counted begin = counted();
    auto sealed = rig.seal();
    const Counted taken = counted() - begin;
    REQUIRE(sealed);
    REQUIRE(rig.write(std::move(*sealed)));
    return taken.allocations;
  };
  const auto of_few = allocations_with(4), of_many = allocations_with(60);
  MESSAGE("allocations: " << of_few << " and " << of_many);
  CHECK(of_many <= of_few + 2);
}

TEST_CASE("hot path: rows become parameters of PostgreSQL without an allocation, once their memory is there") {
  const std::string note(100, 'n'), uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  struct Made {
    const char* name;
    uint8_t kind;
    postgresql::BinaryType binary;
    cdcrt_cell cell;
  };
  const Made made[] = {
      {"id", CDCRT_TYPE_INT64, postgresql::BinaryType::kInt8, sql::integer_cell(CDCRT_I64, 7)},
      {"note", CDCRT_TYPE_STRING, postgresql::BinaryType::kText, sql::text_cell(CDCRT_STRING, note)},
      {"amount", CDCRT_TYPE_DECIMAL, postgresql::BinaryType::kNumeric, sql::text_cell(CDCRT_DECIMAL, "-3022085.41")},
      {"weight", CDCRT_TYPE_FLOAT64, postgresql::BinaryType::kFloat8, sql::real_cell(2.5)},
      {"placed", CDCRT_TYPE_TIMESTAMP, postgresql::BinaryType::kTimestamp, sql::integer_cell(CDCRT_TIMESTAMP, 1'767'952'652'466'649)},
      {"uid", CDCRT_TYPE_UUID, postgresql::BinaryType::kUuid, sql::text_cell(CDCRT_UUID, uuid)},
      {"span", CDCRT_TYPE_INTERVAL, postgresql::BinaryType::kNone, sql::text_cell(CDCRT_INTERVAL, "PT5S")},
  };
  std::vector<cdcrt_column> columns;
  std::vector<postgresql::CatalogColumn> catalog(std::size(made));
  std::vector<const postgresql::CatalogColumn*> targets;
  std::vector<uint32_t> chosen;
  std::vector<cdcrt_cell> cells;
  for (std::size_t i = 0; i < std::size(made); ++i) {
    cdcrt_column& column = columns.emplace_back();
    column.name = sdk::borrow(made[i].name);
    column.type.kind = made[i].kind;
    catalog[i].name = made[i].name;
    catalog[i].binary = made[i].binary;
    targets.push_back(&catalog[i]);
    chosen.push_back(static_cast<uint32_t>(i));
  }
  for (int64_t row = 0; row < kRows; ++row) {
    for (const Made& each : made) cells.push_back(each.cell);
  }
  cdcrt_write write{};
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.cells = cells.data();
  write.row_count = static_cast<uint64_t>(kRows);
  for (const bool takes_binary : {true, false}) {
    CAPTURE(takes_binary);
    postgresql::ArrayParameters parameters(takes_binary);
    uint64_t next = 0, overflowed = 0;
    REQUIRE(parameters.take_rows(write, chosen, targets, 0, next, overflowed));
    const Counted begin = counted();
    const auto again = parameters.take_rows(write, chosen, targets, 0, next, overflowed);
    const Counted taken = counted() - begin;
    REQUIRE(again);
    CHECK(next == write.row_count);
    CHECK(taken.allocations < 10);
  }
}
