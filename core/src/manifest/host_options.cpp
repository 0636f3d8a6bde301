#include "manifest/host_options.hpp"

#include <algorithm>

#include "cdcrt/sdk/option.hpp"
#include "diagnostics/codes.hpp"
#include "manifest/composition.hpp"
#include "manifest/host_values.hpp"
#include "manifest/route_options.hpp"

namespace cdcrt::manifest {
namespace {

namespace option = sdk::option;

constexpr std::size_t kMaxPipelineName = 128;

constexpr const char* kLogLevels[] = {"debug", "info", "warning", "error", nullptr};

constexpr const char* kUnmatchedTables[] = {"ignore", "fail", nullptr};  // in the order of route::UnmatchedTables

constexpr cdcrt_option kPipeline[] = {
    option::text("name")
        .required()
        .example("\"shop\"")
        .doc("1 to 128 characters. The identity of the progress in the target: another name starts from the beginning."),
    option::one_of("unmatched_tables", kUnmatchedTables)
        .default_value("ignore")
        .example("\"fail\"")
        .doc(
            "Where there are routes, tables that none names: `ignore` (counted and listed) or `fail` (such a table stops, its rows stay in "
            "the source, the others go on; exit code 1)."),
};

constexpr cdcrt_option kRuntime[] = {
    option::bytes("memory")
        .default_value("128MiB")
        .at_least(1 << 20)
        .example("\"512MiB\"")
        .doc("The budget of the process; resident memory stays below it and 40 MiB more. Up to 48MiB all threads share one heap."),
    option::integer("decode_workers")
        .default_value("0")
        .between(0, 1024)
        .example("4")
        .doc("Threads that decode messages; 0: one per core."),
    option::list("plugin_dirs").default_value("[]").example("[\"/opt/cdcrt/plugins\"]").doc("Folders with plugins."),
    option::one_of("log_level", kLogLevels).default_value("info").example("\"warning\"").doc("The least level that is logged."),
    option::duration("shutdown_timeout")
        .default_value("30s")
        .example("\"2min\"")
        .doc("How long buffered rows may take to be written after the end of the input or a signal. 10 s later the process ends even where "
             "something outside does not answer."),
    option::text("http")
        .example("\"127.0.0.1:9464\"")
        .doc("Address and port of metrics, health and status; off when absent. Where other machines can reach it, `http_token` is needed."),
    option::text("http_token")
        .secret()
        .example("\"${file:/run/secrets/cdcrt-token}\"")
        .doc("What has to be sent for `/metrics` and `/status`, as `Authorization: Bearer TOKEN`, or as the password that a browser asks "
             "for. 16 characters at least. `/livez` and `/readyz` answer without it, but name no reasons."),
    option::path("http_certificate")
        .example("\"/etc/cdcrt/tls.crt\"")
        .doc("Certificate (PEM, with its chain) for HTTPS. Read again when the file changes."),
    option::path("http_key").example("\"/etc/cdcrt/tls.key\"").doc("The certificate's key (PEM, without a passphrase)."),
    option::integer("http_tables")
        .default_value("1000")
        .between(0, 100'000)
        .example("5000")
        .doc("How many tables have metrics of their own, those that came first; the rest counts together as table `other`. `/status` has "
             "all of them. A table takes 1.6 KB of the page, in 17 series."),
};

constexpr cdcrt_option kSink[] = {
    option::integer("connections")
        .default_value("4")
        .between(1, 1024)
        .example("8")
        .doc("Connections that write side by side; sinks with one writer (SQLite, `file`, `blackhole`) use one."),
    option::integer("group_tables")
        .between(1, 10'000)
        .example("100")
        .doc("How many tables that are ready share one transaction, up to `batch.max_bytes` together. Without it tables share while they "
             "hold less than 512 KiB together. Fewer commits, where commits are dear; after a conflict they are tried together again, and "
             "alone when one of them is refused."),
    option::duration("stall_after")
        .default_value("30s")
        .example("\"2min\"")
        .doc("A table that others lock for longer is detached from the rest, and is read back later."),
    option::text("progress_schema")
        .default_value("cdcrt")
        .example("\"replication\"")
        .doc("Schema of cdcrt's own tables; where the target has no schemas, the begin of their names: `cdcrt_progress`."),
    option::integer("batch.max_rows")
        .default_value("50000")
        .between(1, 100'000'000)
        .example("10000")
        .doc("Rows (keys) that a table holds before it must be written."),
    option::bytes("batch.max_bytes")
        .default_value("16MiB")
        .at_least(1)
        .example("\"64MiB\"")
        .doc("Bytes that a table holds before it must be written."),
    option::duration("batch.max_age")
        .default_value("0")
        .example("\"5s\"")
        .doc(
            "How long rows wait for more, unless memory runs short. 0: what comes after a pause is written at once, rows that follow close "
            "behind gather for some milliseconds, and batches grow by themselves while connections are busy."),
    option::duration("batch.min_interval")
        .default_value("0")
        .example("\"1min\"")
        .doc(
            "How long after a write of a table has begun the next one begins, unless it holds a full batch or memory runs short. The first "
            "change after a pause does not wait."),
    option::integer("load.max_rows")
        .between(1, 100'000'000)
        .example("200000")
        .doc("`batch.max_rows` of a table while all rows that wait are those of a snapshot or load; without it as in `batch`."),
    option::bytes("load.max_bytes").at_least(1).example("\"256MiB\"").doc("The same of `batch.max_bytes`."),
    option::duration("load.max_age")
        .example("\"2s\"")
        .doc("The same of `batch.max_age`: rows of a first load may wait for more where changes may not. The first change ends it: what "
             "waits is written as `batch` says from then on, snapshot or not."),
};

constexpr cdcrt_option kBudget[] = {
    option::integer("max_count")
        .at_least(0)
        .example("100")
        .doc("More dead letters than that in one run stop it, with exit code 1. 0: none is allowed. Without it: any number."),
    option::real("max_ratio")
        .example("0.01")
        .doc("More dead letters than that part of the last 10,000 messages stop the run: with `0.01` the 101st does. Shorter runs still "
             "divide by 10,000. Above 0 and at most 1; without it: any part."),
};

/// A further check of a value that was given. `is_good` sees it only where it is set.
template <class Check>
void check(TableReader& reader, const HostValues& values, std::string_view key, std::string_view code, const char* why, Check&& is_good) {
  const auto* value = values.find(key);
  const Entry* entry = value == nullptr ? nullptr : reader.take(key);
  if (entry != nullptr && !is_good(*value)) refuse_value(entry->value, reader.field(key), code, why);
}

}  // namespace

const std::vector<HostTable>& host_tables() {
  static const std::vector<HostTable> tables{
      {"pipeline", "What the pipeline is called, and what it takes.", kPipeline},
      {"runtime", "The process.", kRuntime},
      {"sinks.NAME", "Beside `plugin` and the sink's own options.", kSink},
      {"defaults",
       "What every route begins with; where there are no routes, the route of all tables. Beside `columns`, `layout`, `primary_keys` and `primary_keys_file`.",
       route_options()},
      {"routes.NAME", "The keys of `[defaults]`, `columns` and `layout`, and which tables the route takes.", pattern_options()},
      {"routes.NAME.columns.NAME", "Of each column, by its name at the source; see [columns](../manifest.md#columns).", column_options()},
      {"dead_letters", "The budget, beside `plugin` and where dead letters go.", kBudget}};
  return tables;
}

void read_pipeline_keys(TableReader& reader, std::string_view missing_help, Manifest& manifest) {
  OptionContext context;
  context.missing_help = missing_help;
  const HostValues values(reader, kPipeline, context);
  values.take("name", manifest.pipeline);
  std::optional<route::UnmatchedTables> unmatched;
  values.take_choice("unmatched_tables", unmatched);
  manifest.unmatched_tables = unmatched.value_or(manifest.unmatched_tables);
  check(reader, values, "name", diagnostics::kBadName, "must be 1 to 128 characters without control characters",
        [](const Options::Value& value) {
          return !value.string.empty() && value.string.size() <= kMaxPipelineName &&
                 std::none_of(value.string.begin(), value.string.end(),
                              [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
        });
}

namespace {

void read_http_keys(TableReader& reader, const HostValues& values, Runtime& runtime) {
  observe::Settings& http = runtime.http;
  values.take("http", http.listen);
  values.take("http_token", http.token);
  values.take("http_certificate", http.certificate);
  values.take("http_key", http.key);
  values.take("http_tables", http.max_tables);
  if (const Entry* entry = reader.take("http")) runtime.http_position = entry->value.position;
  check(reader, values, "http_token", diagnostics::kBadValue, "must not be empty",
        [](const Options::Value& value) { return !value.string.empty(); });
  observe::Settings known = http;
  // A token that is not read here (`validate` reads no secrets) is there all the same.
  if (known.token.empty() && reader.take("http_token") != nullptr) known.token.assign(64, '*');
  const auto checked = observe::check(known);
  if (checked) return;
  const Entry* entry = reader.take(checked.error().config_key);
  if (entry != nullptr) {
    refuse_value(entry->value, reader.field(checked.error().config_key), diagnostics::kBadValue, checked.error().message,
                 checked.error().hint);
  }
}

}  // namespace

Runtime read_runtime_keys(TableReader& reader, const std::string& folder) {
  OptionContext context;
  context.folder = folder;
  const HostValues values(reader, kRuntime, context);
  Runtime runtime;
  values.take("memory", runtime.memory);
  values.take("decode_workers", runtime.decode_workers);
  values.take("log_level", runtime.log_level);
  values.take("shutdown_timeout", runtime.shutdown_timeout);
  if (const auto* folders = values.find("plugin_dirs")) {
    for (const auto& given : folders->strings) runtime.plugin_dirs.push_back(absolute_path(given, folder));
  }
  read_http_keys(reader, values, runtime);
  return runtime;
}

void read_sink_keys(TableReader& reader, TableReader& batch, Sink& sink) {
  OptionContext context;
  context.shared_name = "batch";
  context.shared = &batch;
  const HostValues values(reader, kSink, context);
  values.take("connections", sink.connections);
  values.take("group_tables", sink.group_tables);
  values.take("stall_after", sink.stall_after);
  values.take("progress_schema", sink.progress_schema);
  values.take("batch.max_rows", sink.batch.max_rows);
  values.take("batch.max_bytes", sink.batch.max_bytes);
  values.take("batch.max_age", sink.batch.max_age);
  values.take("batch.min_interval", sink.batch.min_interval);
  sink.load = sink.batch;
  values.take("load.max_rows", sink.load.max_rows);
  values.take("load.max_bytes", sink.load.max_bytes);
  values.take("load.max_age", sink.load.max_age);
  check(reader, values, "progress_schema", diagnostics::kBadValue, "must not be empty",
        [](const Options::Value& value) { return !value.string.empty(); });
}

void read_budget_keys(TableReader& reader, dead_letters::Settings& settings) {
  const HostValues values(reader, kBudget);
  if (const auto* count = values.find("max_count")) settings.max_count = static_cast<uint64_t>(count->integer);
  if (const auto* ratio = values.find("max_ratio")) settings.max_ratio = ratio->real;
  check(reader, values, "max_ratio", diagnostics::kBadValue, "must be above 0 and at most 1",
        [](const Options::Value& value) { return value.real > 0 && value.real <= 1; });
}

}  // namespace cdcrt::manifest
