#include "debezium_rows.hpp"

#include <array>
#include <cstdlib>

#include "event_text.hpp"
#include "random.hpp"

namespace cdcrt::bench {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"customers", "orders", "items", "visits"};
constexpr int64_t kFirstMoment = 1'700'000'000'000'000;  // microseconds since 1970
constexpr int64_t kDay = 86'400'000'000;

constexpr std::array<std::string_view, 8> kWords = {"naïve",       "日本", "plain",       "quote \"q\"",
                                                    "back\\slash", "😀",    "comma, here", "x'; drop table y"};

constexpr std::string_view kFields =
    R"({"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},)"
    R"({"type":"string","optional":true,"field":"note"},{"type":"boolean","optional":true,"field":"active"},)"
    R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,)"
    R"("parameters":{"scale":"2","connect.decimal.precision":"12"},"field":"amount"},)"
    R"({"type":"int32","optional":true,"field":"quantity"},{"type":"double","optional":true,"field":"weight"},)"
    R"({"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"placed"},)"
    R"({"type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"created"})";

// The large column of workloads that have one: a version of it lasts for so many of the row's.
constexpr std::string_view kLarge = "body";
constexpr uint32_t kVersionsOfLarge = 10;
constexpr std::size_t kBytesOfLarge = 8000;
constexpr std::string_view kUnavailable = "__debezium_unavailable_value";

/// Kinds of the columns beside the nine, in turns.
struct MoreKind {
  std::string_view kind, kind_without_schemas, schema;
};
constexpr std::array<MoreKind, 5> kMore = {{
    {"string", "string", R"("type":"string")"},
    {"int32", "int32", R"("type":"int32")"},
    {"float64", "float64", R"("type":"double")"},
    {"bool", "bool", R"("type":"boolean")"},
    {"timestamp", "int64", R"("type":"int64","name":"io.debezium.time.MicroTimestamp","version":1)"},
}};

struct Row {
  int64_t id = 0;
  std::string name, note;
  bool has_note = false, active = false;
  int64_t cents = 0, quantity = 0, placed = 0, created = 0;
  double weight = 0;
};

Random random_of(uint64_t seed, std::size_t table, int64_t id, uint32_t version) {
  return Random(mix(seed ^ mix(static_cast<uint64_t>(id) * 4 + table)) + static_cast<uint64_t>(version) * 0x10001);
}

Row row_of(uint64_t seed, std::size_t table, int64_t id, uint32_t version) {
  Random random = random_of(seed, table, id, version);
  Row row;
  row.id = id;
  row.name =
      debezium_table_name(table) + " " + std::string(kWords[random.below(kWords.size())]) + " " + std::to_string(random.below(1'000'000));
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

/// Text that does not become shorter by packing.
std::string large_text(uint64_t seed, std::size_t table, int64_t id, uint32_t version) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Random random = random_of(~seed, table, id, version);
  std::string text;
  text.reserve(kBytesOfLarge);
  while (text.size() < kBytesOfLarge) {
    uint64_t bits = random.below(1ULL << 60);
    for (int i = 0; i < 10; ++i, bits >>= 6) text += kAlphabet[bits & 63];
  }
  return text;
}

void add_cents(std::string& text, int64_t cents) {
  if (cents < 0) text += '-';
  add_number(text, std::llabs(cents) / 100);
  text += '.';
  add_padded(text, std::llabs(cents) % 100, 2);
}

}  // namespace

std::string debezium_table_name(std::size_t table) {
  std::string name(kNames[table % kNames.size()]);
  if (table >= kNames.size()) add_number(name, static_cast<int64_t>(table / kNames.size() + 1));
  return name;
}

DebeziumRows::DebeziumRows(const Workload& workload, uint64_t seed, bool schemas)
    : workload_(workload), seed_(seed), schemas_(schemas), columns_{{"id", "int64"},           {"name", "string"},
                                                                    {"note", "string"},        {"active", "bool"},
                                                                    {"amount", "decimal"},     {"quantity", "int32"},
                                                                    {"weight", "float64"},     {"placed", schemas ? "timestamp" : "int64"},
                                                                    {"created", "timestamptz"}},
      fields_("[" + std::string(kFields)) {
  if (workload.large_column) {
    columns_.push_back({std::string(kLarge), "string"});
    fields_ += R"(,{"type":"string","optional":true,"field":")" + std::string(kLarge) + R"("})";
  }
  for (std::size_t i = 0; i < workload.more_columns; ++i) {
    const MoreKind& kind = kMore[i % kMore.size()];
    const std::string name = "more_" + std::to_string(i + 1);
    columns_.push_back({name, std::string(schemas ? kind.kind : kind.kind_without_schemas)});
    fields_ += "," + std::string("{") + std::string(kind.schema) + R"(,"optional":true,"field":")" + name + "\"}";
  }
  fields_ += "]";
  for (std::size_t i = 1; i < columns_.size(); ++i) nulls_ += ",\"" + columns_[i].name + "\":null";
}

void DebeziumRows::add_json(std::string& text, std::size_t table, int64_t id, uint32_t version) const {
  const Row row = row_of(seed_, table, id, version);
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
  if (schemas_) {
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
  text += '"';
  add_more(text, table, id, version, true);
  text += '}';
}

void DebeziumRows::add_key_json(std::string& text, int64_t id) const {
  text += R"({"id":)";
  add_number(text, id);
  text += nulls_;
  text += '}';
}

void DebeziumRows::add_csv(std::string& text, std::size_t table, int64_t id, uint32_t version) const {
  const Row row = row_of(seed_, table, id, version);
  add_number(text, row.id);
  text += ',';
  text += csv_text(row.name);
  text += ',';
  text += row.has_note ? csv_text(row.note) : "\\N";
  text += row.active ? ",t," : ",f,";
  add_cents(text, row.cents);
  text += ',';
  add_number(text, row.quantity);
  text += ',';
  text += real_text(row.weight);
  text += ',';
  schemas_ ? add_moment(text, row.placed, ' ', "") : add_number(text, row.placed);
  text += ',';
  add_moment(text, row.created, ' ', "+00");
  add_more(text, table, id, version, false);
  text += '\n';
}

/// The columns beside the nine, as members of a JSON object or as cells of CSV.
void DebeziumRows::add_more(std::string& text, std::size_t table, int64_t id, uint32_t version, bool json) const {
  std::size_t column = columns_.size() - workload_.more_columns;
  const auto next = [&](std::size_t number) {
    text += ',';
    if (json) text += '"' + columns_[number].name + "\":";
  };
  if (workload_.large_column) {
    next(column - 1);
    const bool is_carried = !json || version % kVersionsOfLarge == 1;
    const uint32_t since = version - (version - 1) % kVersionsOfLarge;
    const std::string value = is_carried ? large_text(seed_, table, id, since) : std::string(kUnavailable);
    text += json ? json_text(value) : csv_text(value);
  }
  Random random = random_of(seed_ + 1, table, id, version);
  for (std::size_t i = 0; i < workload_.more_columns; ++i) {
    next(column++);
    const uint64_t draw = random.below(4'000'000);
    if (draw % 4 == 0) {
      text += json ? "null" : "\\N";
    } else if (i % kMore.size() == 0) {
      const std::string value = std::string(kWords[draw % kWords.size()]) + std::to_string(draw);
      text += json ? json_text(value) : csv_text(value);
    } else if (i % kMore.size() == 1) {
      add_number(text, static_cast<int64_t>(draw) - 2'000'000);
    } else if (i % kMore.size() == 2) {
      text += real_text(static_cast<double>(draw) / 64.0);
    } else if (i % kMore.size() == 3) {
      text += draw % 8 < 4 ? (json ? "true" : "t") : (json ? "false" : "f");
    } else if (const int64_t moment = kFirstMoment + static_cast<int64_t>(draw) * 1'000'003; json || !schemas_) {
      add_number(text, moment);
    } else {
      add_moment(text, moment, ' ', "");
    }
  }
}

}  // namespace cdcrt::bench
