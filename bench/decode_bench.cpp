// What decoding costs: debezium-json through its shared object, with and without schemas, and the boundary's share of it.
//
//   decode_bench [FORMAT.so] [EVENTS]
//   decode_bench --compare [EVENTS]      the bundled formats in turns, each beside debezium-json, by event and by byte
//   decode_bench --beside-rapidjson      debezium-json in turns with RapidJSON, which parses the same bytes into a document: CPU time of
//                                        the one in that of the other, as JSON
//
// With format-dms.so its records, which have no schemas: "with schemas" are those with transaction details there.
//
// Prints nanoseconds of CPU per event (best of several rounds), events and bytes per second, and what crossing the boundary takes:
// the call per batch and every call back into the host, beside the whole; and what the host's checks of the rows take, those that it
// always makes and those of --check-plugins.
#include <dlfcn.h>
#include <rapidjson/document.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "event/row_batch.hpp"
#include "event/row_check.hpp"

namespace {

constexpr std::size_t kBatch = 1000;
constexpr int kRounds = 7;
constexpr std::size_t kEventsPerRound = 20'000;

/// CPU time of this thread: other programs on the machine do not count.
double nanoseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// The least a host can be; counts how often the plugin calls it.
class Host {
 public:
  Host() {
    rows_.size = sizeof rows_;
    rows_.self = this;
    rows_.grow = [](cdcrt_rows* rows, uint32_t more_rows, uint32_t more_cells) {
      auto& host = *static_cast<Host*>(rows->self);
      ++host.calls_;
      host.row_storage_.resize(std::max<std::size_t>(1024, 2 * (rows->row_capacity + more_rows)));
      host.cell_storage_.resize(std::max<std::size_t>(8192, 2 * (rows->cell_capacity + more_cells)));
      rows->rows = host.row_storage_.data();
      rows->cells = host.cell_storage_.data();
      rows->row_capacity = static_cast<uint32_t>(host.row_storage_.size());
      rows->cell_capacity = static_cast<uint32_t>(host.cell_storage_.size());
      return 0;
    };
    rows_.arena_grow = [](cdcrt_rows* rows, uint64_t bytes) {
      auto& host = *static_cast<Host*>(rows->self);
      ++host.calls_;
      if (host.used_ == host.blocks_.size()) host.blocks_.emplace_back(new char[kBlock]);
      char* block = host.blocks_[host.used_++].get();
      if (bytes > kBlock) std::abort();
      rows->arena_next = block + bytes;
      rows->arena_end = block + kBlock;
      return block;
    };
    rows_.intern = [](cdcrt_rows* rows, const cdcrt_shape*) {
      auto& host = *static_cast<Host*>(rows->self);
      ++host.calls_;
      return host.shapes_++;
    };
    rows_.reject = [](cdcrt_rows*, uint32_t, const cdcrt_error* error) {
      std::fprintf(stderr, "rejected: %s\n", error->message);
      std::exit(1);
    };
  }
  cdcrt_rows* rows() { return &rows_; }
  void clear() {
    rows_.row_count = rows_.cell_count = 0;
    rows_.arena_next = rows_.arena_end = nullptr;
    used_ = 0;
  }
  [[nodiscard]] uint64_t calls() const { return calls_; }

 private:
  static constexpr std::size_t kBlock = 256 << 10;
  cdcrt_rows rows_{};
  std::vector<cdcrt_row> row_storage_;
  std::vector<cdcrt_cell> cell_storage_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;
  uint32_t shapes_ = 0;
  uint64_t calls_ = 0;
};

std::string column(const char* field, const char* type, const char* more = "") {
  return std::string("{\"type\":\"") + type + "\",\"optional\":true" + more + ",\"field\":\"" + field + "\"}";
}

std::string schema() {
  const std::string columns =
      R"({"type":"int64","optional":false,"field":"id"},)" + column("customer_id", "int64") + "," +
      column("status", "string", R"(,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"sad,ok,happy"})") + "," +
      column("total", "bytes",
             R"(,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"4","connect.decimal.precision":"14"})") +
      "," + column("placed", "int64", R"(,"name":"io.debezium.time.MicroTimestamp","version":1)") + "," + column("note", "string") + "," +
      column("uid", "string", R"(,"name":"io.debezium.data.Uuid","version":1)") + "," + column("ip", "string");
  const auto row = [&](const char* field) {
    return R"({"type":"struct","fields":[)" + columns + R"(],"optional":true,"name":"pg.sales.orders.Value","field":")" + field + "\"}";
  };
  std::string source;
  for (const char* name : {"version", "connector", "name", "snapshot", "db", "sequence", "schema", "table"})
    source += column(name, "string") + ",";
  for (const char* name : {"ts_ms", "ts_us", "ts_ns", "txId", "lsn"}) source += column(name, "int64") + ",";
  source += column("xmin", "int64");
  return R"({"type":"struct","fields":[)" + row("before") + "," + row("after") + R"(,{"type":"struct","fields":[)" + source +
         R"(],"optional":false,"name":"io.debezium.connector.postgresql.Source","version":1,"field":"source"},)" +
         R"({"type":"struct","fields":[)" + column("id", "string") + "," + column("total_order", "int64") + "," +
         column("data_collection_order", "int64") + R"(],"optional":true,"name":"event.block","version":1,"field":"transaction"},)" +
         column("op", "string") + "," + column("ts_ms", "int64") + "," + column("ts_us", "int64") + "," + column("ts_ns", "int64") +
         R"(],"optional":false,"name":"pg.sales.orders.Envelope","version":2})";
}

std::string payload(std::size_t i, bool binary_decimal) {
  const std::string n = std::to_string(i);
  const std::string time = std::to_string(1795367537699 + i);
  return R"({"before":null,"after":{"id":)" + n + R"(,"customer_id":)" + std::to_string(i % 977) + R"(,"status":"happy","total":)" +
         (binary_decimal ? "\"AgjV\"" : "\"13.3333\"") + R"(,"placed":17040816000)" + std::to_string(10000 + i % 90000) +
         R"(,"note":"note number )" + n + R"( of the day","uid":"00000000-0000-4000-8000-0000000)" + std::to_string(10000 + i % 90000) +
         R"(","ip":"10.0.0.1"},"source":{"version":"3.2.0.Final","connector":"postgresql","name":"pg","ts_ms":)" + time +
         R"(,"snapshot":"false","db":"shop","sequence":"[\"28461992\",\"28462312\"]","ts_us":)" + time + R"(724,"ts_ns":)" + time +
         R"(724000,"schema":"sales","table":"orders","txId":768,"lsn":)" + std::to_string(28462312 + i) +
         R"(,"xmin":null},"transaction":{"id":"768:28462312","total_order":2,"data_collection_order":2},"op":"c","ts_ms":)" + time +
         R"(,"ts_us":)" + time + R"(132,"ts_ns":)" + time + "132139}";
}

/// The same row as AWS DMS writes it; `details`: with its transaction and the row before.
std::string dms_record(std::size_t i, bool details) {
  const std::string n = std::to_string(i);
  return std::string("{") + (details ? R"("before-image":{},)" : "") + R"("data":{"id":)" + n + R"(,"customer_id":)" +
         std::to_string(i % 977) + R"(,"status":"happy","total":13.3333,"placed":"2024-01-01T00:00:00.0)" +
         std::to_string(10000 + i % 90000) + R"(Z","note":"note number )" + n + R"( of the day","uid":"00000000-0000-4000-8000-0000000)" +
         std::to_string(10000 + i % 90000) +
         R"(","ip":"10.0.0.1"},"metadata":{"timestamp":"2025-06-10T11:28:10.376510Z","record-type":"data","operation":"insert",)" +
         R"("partition-key-type":"schema-table","schema-name":"sales","table-name":"orders")" +
         (details
              ? R"(,"transaction-id":9324410911762,"transaction-record-id":1,"prev-transaction-id":9324410911751,"prev-transaction-record-id":1,)"
                R"("commit-timestamp":"2025-06-10T11:28:10.000000Z",)"
                R"("stream-position":"mysql-bin-changelog.002171:36911:0:36972:9324410911762:mysql-bin-changelog.002171:36910")"
              : "") +
         "}}";
}

struct Plugin {
  std::string name;
  const cdcrt_format* format = nullptr;
  void* instance = nullptr;
  [[nodiscard]] bool is_dms() const { return name == "dms"; }
  [[nodiscard]] bool has_keys() const { return name != "flink-cdc"; }  ///< Flink CDC writes values alone
};

struct Events {
  std::vector<std::string> keys, values;
  std::vector<cdcrt_message> messages;
  uint64_t bytes = 0;
};

Events make_events(const Plugin& plugin, std::size_t count, bool with_schema) {
  Events events;
  const std::string value_head = "{\"schema\":" + schema() + ",\"payload\":";
  const std::string key_head =
      R"({"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],"optional":false,"name":"pg.sales.orders.Key"},"payload":)";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = "{\"id\":" + std::to_string(i) + "}";
    events.keys.push_back(with_schema ? key_head + key + "}" : key);
    if (plugin.is_dms()) {
      events.values.push_back(dms_record(i, with_schema));
    } else {
      events.values.push_back(with_schema ? value_head + payload(i, true) + "}" : payload(i, false));
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    cdcrt_message message{};
    if (plugin.has_keys()) message.key = {events.keys[i].data(), events.keys[i].size()};
    message.value = {events.values[i].data(), events.values[i].size()};
    message.offset = static_cast<int64_t>(i);
    message.timestamp_ms = -1;
    events.messages.push_back(message);
    events.bytes += events.values[i].size();
  }
  return events;
}

Plugin load(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(1);
  }
  const auto entry = reinterpret_cast<cdcrt_plugin_entry_function>(dlsym(library, "cdcrt_plugin_entry"));
  uint32_t count = 0;
  const cdcrt_plugin* plugin = entry(&count)[0];
  std::vector<cdcrt_option_value> values;
  for (uint32_t i = 0; i < plugin->option_count; ++i) {
    cdcrt_option_value value{};
    value.key = plugin->options[i].key;
    value.type = plugin->options[i].type;
    if (const char* text = plugin->options[i].default_value) value.string = {text, std::string(text).size()}, value.is_set = 1;
    values.push_back(value);
  }
  cdcrt_config config{};
  config.size = sizeof config;
  config.count = static_cast<uint32_t>(values.size());
  config.values = values.data();
  config.value_size = sizeof(cdcrt_option_value);
  cdcrt_error error{};
  error.size = sizeof error;
  Plugin loaded;
  loaded.name = plugin->name;
  loaded.format = static_cast<const cdcrt_format*>(plugin->functions);
  if (loaded.format->create(nullptr, &config, &loaded.instance, &error) != CDCRT_OK) {
    std::fprintf(stderr, "%s\n", error.message);
    std::exit(1);
  }
  return loaded;
}

cdcrt_messages batch_of(const cdcrt_message* first, std::size_t count) {
  static constexpr char topic[] = "pg.sales.orders";
  cdcrt_messages batch{};
  batch.size = sizeof batch;
  batch.topic = {topic, sizeof topic - 1};
  batch.messages = first;
  batch.message_size = sizeof(cdcrt_message);
  batch.count = static_cast<uint32_t>(count);
  return batch;
}

void decode(const Plugin& plugin, const cdcrt_messages& batch, cdcrt_rows* rows) {
  cdcrt_error error{};
  error.size = sizeof error;
  if (plugin.format->decode(plugin.instance, &batch, rows, &error) != CDCRT_OK) std::exit(1);
}

void decode(const Plugin& plugin, Host& host, const cdcrt_message* first, std::size_t count) {
  host.clear();
  decode(plugin, batch_of(first, count), host.rows());
}

/// Nanoseconds per event: decoding into the host's own rows, looking at their structure, looking at their values too.
struct Checked {
  double decoding = 0, structure = 0, values = 0;
};

/// One pass over all events; the three alternate from batch to batch, so that whatever else runs disturbs them alike.
Checked checked_pass(const Plugin& plugin, cdcrt::event::RowBatch& rows, const Events& events) {
  using cdcrt::event::CheckDepth;
  Checked sum;
  for (std::size_t i = 0; i < events.messages.size(); i += kBatch) {
    const cdcrt_messages batch = batch_of(events.messages.data() + i, std::min(kBatch, events.messages.size() - i));
    const double start = nanoseconds_now();
    rows.clear();
    decode(plugin, batch, rows.abi());
    const double decoded = nanoseconds_now();
    bool wrong = find_fault(batch, rows, CheckDepth::kStructure).has_value();
    rows.settle(batch.count);
    const double structure = nanoseconds_now();
    wrong |= find_fault(batch, rows, CheckDepth::kValues).has_value();
    const double values = nanoseconds_now();
    if (wrong) std::exit(1);
    sum.decoding += decoded - start;
    sum.structure += structure - decoded;
    sum.values += values - structure;
  }
  const auto count = static_cast<double>(events.messages.size());
  return {sum.decoding / count, sum.structure / count, sum.values / count};
}

/// The median of several passes of each: nanoseconds per event, and the share of decoding.
void measure_checks(const char* path, std::size_t count, bool with_schema) {
  constexpr std::size_t kPasses = 15;
  const Plugin plugin = load(path);  // one that knows no shapes of another host
  const Events events = make_events(plugin, count, with_schema);
  cdcrt::event::ShapeRegistry shapes;
  cdcrt::event::RowBatch rows(shapes);
  std::vector<Checked> passes;
  for (std::size_t i = 0; i < kPasses; ++i) passes.push_back(checked_pass(plugin, rows, events));
  plugin.format->destroy(plugin.instance);
  const auto median = [&](double Checked::*part) {
    std::vector<double> all;
    for (const Checked& pass : passes) all.push_back(pass.*part);
    std::nth_element(all.begin(), all.begin() + kPasses / 2, all.end());
    return all[kPasses / 2];
  };
  const double decoding = median(&Checked::decoding), structure = median(&Checked::structure), values = median(&Checked::values);
  std::printf("checks %-16s decoding %.0f ns/event; always %.1f ns = %.2f %%; with --check-plugins %.0f ns = %.0f %%\n",
              with_schema ? "with schemas:" : "without schemas:", decoding, structure, structure / decoding * 100, values,
              values / decoding * 100);
}

/// One pass over all events, nanoseconds per event.
double pass(const Plugin& plugin, Host& host, const Events& events) {
  const double start = nanoseconds_now();
  for (std::size_t i = 0; i < events.messages.size(); i += kBatch) {
    decode(plugin, host, events.messages.data() + i, std::min(kBatch, events.messages.size() - i));
  }
  return (nanoseconds_now() - start) / static_cast<double>(events.messages.size());
}

/// A call through a function pointer to code the compiler cannot see: an empty batch, there and back.
double empty_call(const Plugin& plugin, Host& host) {
  constexpr int count = 100'000;
  const double start = nanoseconds_now();
  for (int i = 0; i < count; ++i) decode(plugin, host, nullptr, 0);
  return (nanoseconds_now() - start) / count;
}

/// Best of several rounds over `count` events, without schemas and with; prints both.
void measure(const Plugin& plugin, Host& host, std::size_t count, const char* where) {
  const Events events[2] = {make_events(plugin, count, false), make_events(plugin, count, true)};
  const int passes = static_cast<int>(kEventsPerRound / count) + 1;
  double best[2] = {1e18, 1e18};
  double calls[2] = {0, 0};
  for (int round = 0; round < kRounds; ++round) {
    for (int kind = 0; kind < 2; ++kind) {
      const uint64_t before = host.calls();
      for (int i = 0; i < passes; ++i) best[kind] = std::min(best[kind], pass(plugin, host, events[kind]));
      calls[kind] = static_cast<double>(host.calls() - before) / static_cast<double>(count) / passes;
    }
  }
  double crossing = 1e18;
  for (int round = 0; round < kRounds; ++round) crossing = std::min(crossing, empty_call(plugin, host));
  std::printf("%s (%zu events, %.1f MB with schemas)\n", where, count, static_cast<double>(events[1].bytes) / 1e6);
  const char* names[2] = {"without schemas", "with schemas"};
  for (int kind = 0; kind < 2; ++kind) {
    // Every call back is charged as much as a whole empty batch: an upper bound.
    const double boundary = crossing * (1.0 / static_cast<double>(std::min(count, kBatch)) + calls[kind]);
    std::printf("  %-16s %7.0f ns/event %6.0f k events/s %6.0f MB/s   boundary %.2f ns/row = %.3f %% (%.4f calls back per row)\n",
                names[kind], best[kind], 1e6 / best[kind],
                static_cast<double>(events[kind].bytes) / static_cast<double>(count) / best[kind] * 1e3, boundary,
                boundary / best[kind] * 100, calls[kind]);
  }
  std::printf("  with / without   %.2f\n", best[1] / best[0]);
}

struct Contender {
  const char* format;
  bool with_schema;
  const char* what;
};

/// Best of several rounds in which the contenders take turns, so that whatever else runs disturbs them alike; the first one is the measure.
void compare_formats(const std::vector<Contender>& contenders, std::size_t count) {
  struct Runner {
    const char* what;
    Plugin plugin;
    Events events;
    double best = 1e18;
    [[nodiscard]] double bytes() const { return static_cast<double>(events.bytes) / static_cast<double>(events.values.size()); }
  };
  std::vector<Runner> runners;
  for (const Contender& each : contenders) {
    Plugin plugin = load((std::string(CDCRT_BUILD_DIR "/lib/cdcrt/plugins/format-") + each.format + ".so").c_str());
    Events events = make_events(plugin, count, each.with_schema);
    runners.push_back({each.what, std::move(plugin), std::move(events)});
  }
  Host host;
  for (int round = 0; round < 3 * kRounds; ++round) {
    for (Runner& each : runners) each.best = std::min(each.best, pass(each.plugin, host, each.events));
  }
  const Runner& first = runners.front();
  for (const Runner& each : runners) {
    const double by_event = each.best / first.best, by_byte = by_event / each.bytes() * first.bytes();
    std::printf("%-28s %5.0f bytes %5.0f ns/event %5.0f k events/s %5.0f MB/s   beside the first: %.2f an event, %.2f a byte\n", each.what,
                each.bytes(), each.best, 1e6 / each.best, each.bytes() / each.best * 1e3, by_event, by_byte);
    each.plugin.format->destroy(each.plugin.instance);
  }
}

/// Nanoseconds per event that RapidJSON takes for the values.
double rapidjson_pass(const Events& events) {
  const double start = nanoseconds_now();
  for (const std::string& value : events.values) {
    rapidjson::Document document;
    if (document.Parse(value.data(), value.size()).HasParseError()) std::exit(1);
  }
  return (nanoseconds_now() - start) / static_cast<double>(events.values.size());
}

/// Best of several rounds in turns.
double beside_rapidjson(bool with_schema) {
  constexpr std::size_t kEvents = 2000;
  const Plugin plugin = load(CDCRT_BUILD_DIR "/lib/cdcrt/plugins/format-debezium-json.so");
  const Events events = make_events(plugin, kEvents, with_schema);
  Host host;
  double ours = 1e18, theirs = 1e18;
  for (int round = 0; round < 5 * kRounds; ++round) {
    ours = std::min(ours, pass(plugin, host, events));
    theirs = std::min(theirs, rapidjson_pass(events));
  }
  plugin.format->destroy(plugin.instance);
  return ours / theirs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--beside-rapidjson") {
    std::printf("{\"without_schemas\": %.3f, \"with_schemas\": %.3f}\n", beside_rapidjson(false), beside_rapidjson(true));
    return 0;
  }
  if (argc > 1 && std::string(argv[1]) == "--compare") {
    const std::size_t count = argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 20'000;
    compare_formats({{"debezium-json", false, "debezium-json"},
                     {"flink-cdc", false, "flink-cdc"},
                     {"dms", false, "dms"},
                     {"dms", true, "dms, transaction details"}},
                    count);
    compare_formats({{"debezium-json", true, "debezium-json, schemas"}, {"flink-cdc", true, "flink-cdc, schemas"}}, count);
    return 0;
  }
  const char* path = argc > 1 ? argv[1] : CDCRT_BUILD_DIR "/lib/cdcrt/plugins/format-debezium-json.so";
  const Plugin plugin = load(path);
  const std::size_t count = argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 20'000;
  Host host;
  measure(plugin, host, std::min<std::size_t>(count, 100), "messages in the cache, the same few again and again");
  measure(plugin, host, std::max<std::size_t>(count, 1), "messages from memory");
  plugin.format->destroy(plugin.instance);
  for (const bool with_schema : {false, true}) measure_checks(path, std::max<std::size_t>(count, 1), with_schema);
}
