#include "observe/metrics.hpp"

#include <array>
#include <string>

#include "observe/samples.hpp"

namespace cdcrt::observe {
namespace {

constexpr std::array<std::string_view, 4> kTypes{"counter", "gauge", "histogram", "info"};

constexpr std::string_view kSource = "component", kSink = "component", kTable = "component, table";

double seconds(int64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

template <class Value>
void each_source(Samples& samples, Value&& value) {
  for (const SourceFacts& facts : samples.snapshot().sources) value(Samples::component("sources", facts.name), facts);
}

template <class Value>
void each_sink(Samples& samples, Value&& value) {
  for (const SinkFacts& facts : samples.snapshot().sinks) value(Samples::component("sinks", facts.name), facts);
}

template <class Value>
void each_table(Samples& samples, Value&& value) {
  for (const Samples::Table& table : samples.tables()) value(table.labels, table.facts);
}

template <auto Member>
void of_table(Samples& samples) {
  each_table(samples, [&](const std::string& labels, const TableFacts& facts) { samples.add(labels, facts.*Member); });
}

template <auto Member>
void of_table_where_any(Samples& samples) {
  each_table(samples, [&](const std::string& labels, const TableFacts& facts) {
    if (facts.*Member > 0) samples.add(labels, facts.*Member);
  });
}

template <auto Member>
void of_table_by_operation(Samples& samples) {
  each_table(samples, [&](const std::string& labels, const TableFacts& facts) {
    for (std::size_t i = 0; i < kOperations.size(); ++i) samples.add(labels, "operation", kOperations[i], (facts.*Member)[i]);
  });
}

template <auto Member>
void of_table_where_known(Samples& samples) {
  each_table(samples, [&](const std::string& labels, const TableFacts& facts) {
    if (facts.*Member) samples.add(labels, *(facts.*Member));
  });
}

template <auto Member>
void of_source(Samples& samples) {
  each_source(samples, [&](const std::string& labels, const SourceFacts& facts) { samples.add(labels, facts.*Member); });
}

template <auto Member>
void of_source_where_known(Samples& samples) {
  each_source(samples, [&](const std::string& labels, const SourceFacts& facts) {
    if (facts.*Member) samples.add(labels, *(facts.*Member));
  });
}

template <auto Member>
void of_sink(Samples& samples) {
  each_sink(samples, [&](const std::string& labels, const SinkFacts& facts) { samples.add(labels, facts.*Member); });
}

template <auto Member, const auto& Names>
void of_sink_by(Samples& samples, std::string_view name) {
  each_sink(samples, [&](const std::string& labels, const SinkFacts& facts) {
    for (std::size_t i = 0; i < Names.size(); ++i) samples.add(labels, name, Names[i], (facts.*Member)[i]);
  });
}

template <auto Member>
void of_process(Samples& samples) {
  samples.add({}, samples.snapshot().process.*Member);
}

template <auto Member>
void of_all(Samples& samples) {
  samples.add({}, samples.snapshot().*Member);
}

void buffers(Samples& samples) {
  const BufferFacts& facts = samples.snapshot().buffers;
  samples.add({}, "kind", "messages", facts.message_bytes);
  samples.add({}, "kind", "rows", facts.row_bytes);
  samples.add({}, "kind", "dead_letters", facts.dead_letter_bytes);
}

void buffer_limits(Samples& samples) {
  const BufferFacts& facts = samples.snapshot().buffers;
  samples.add({}, "kind", "messages", facts.message_limit);
  samples.add({}, "kind", "rows", facts.row_limit);
}

void partitions(Samples& samples) {
  each_source(samples, [&](const std::string& labels, const SourceFacts& facts) {
    samples.add(labels, "state", "owned", facts.owned);
    samples.add(labels, "state", "waiting", facts.waiting);
  });
}

/// One line: of the state that the table is in.
void table_states(Samples& samples) {
  for (const Samples::Table& table : samples.tables()) {
    if (!table.is_rest) samples.add(table.labels, "state", name_of(table.facts.state), uint64_t{1});
  }
}

void dead_letters(Samples& samples) {
  for (const auto& each : samples.dead_letters()) samples.add(each.labels, each.count);
}

using Type = MetricType;

// clang-format off
const auto kMetrics = std::to_array<Metric>({
    {"cdcrt_build_info", Type::kInfo, "", "version", "Always 1; the version of the program.",
     [](Samples& s) { s.add(label("version", s.snapshot().process.version), uint64_t{1}); }},
    {"cdcrt_ready", Type::kGauge, "", "", "1 while the pipeline does its work, as /readyz says; /status has the reasons.",
     [](Samples& s) { s.add({}, uint64_t{s.snapshot().not_ready.empty() ? 1U : 0U}); }},
    {"cdcrt_start_timestamp_seconds", Type::kGauge, "seconds", "", "When the process began, since 1970.",
     [](Samples& s) { s.add({}, seconds(s.snapshot().process.started_us)); }},
    {"cdcrt_cpu_seconds_total", Type::kCounter, "seconds", "", "CPU time of the process, of all threads.", of_process<&ProcessFacts::cpu_seconds>},
    {"cdcrt_resident_bytes", Type::kGauge, "bytes", "", "Resident memory of the process.", of_process<&ProcessFacts::resident_bytes>},
    {"cdcrt_open_files", Type::kGauge, "files", "", "Files and connections that the process has open.", of_process<&ProcessFacts::open_files>},
    {"cdcrt_max_open_files", Type::kGauge, "files", "", "How many it may have open.", of_process<&ProcessFacts::max_open_files>},
    {"cdcrt_memory_budget_bytes", Type::kGauge, "bytes", "", "The budget: `[runtime] memory`.",
     [](Samples& s) { s.add({}, s.snapshot().buffers.budget); }},
    {"cdcrt_buffered_bytes", Type::kGauge, "bytes", "kind",
     "What is buffered: `messages` that are read and not decoded, `rows` that are not in the target yet, `dead_letters` that are not written yet (they count as rows too).", buffers},
    {"cdcrt_buffer_limit_bytes", Type::kGauge, "bytes", "kind", "The share of the budget beyond which nothing more is read (`messages`) or decoded (`rows`).", buffer_limits},
    {"cdcrt_decoded_rows_total", Type::kCounter, "rows", "", "Changes that were decoded and handed to tables.", of_all<&Snapshot::rows>},
    {"cdcrt_ignored_rows_total", Type::kCounter, "rows", "", "Changes of tables that no route names.", of_all<&Snapshot::ignored>},
    {"cdcrt_markers_total", Type::kCounter, "", "", "Heartbeats, transaction boundaries, tombstones and the like: nothing to apply.", of_all<&Snapshot::markers>},
    {"cdcrt_dead_letters_total", Type::kCounter, "", "component, table, reason",
     "Messages that could not be decoded or stored; `table` is empty where one never reached a table.", dead_letters},

    {"cdcrt_source_up", Type::kGauge, "", kSource, "1 while the source answers, or is at its end.",
     [](Samples& s) { each_source(s, [&](const std::string& l, const SourceFacts& f) { s.add(l, uint64_t{f.state == "reading" || f.state == "ended" ? 1U : 0U}); }); }},
    {"cdcrt_source_messages_total", Type::kCounter, "messages", kSource, "Messages that were read.", of_source<&SourceFacts::messages>},
    {"cdcrt_source_bytes_total", Type::kCounter, "bytes", kSource, "Bytes of the messages that were read, unpacked, about.", of_source<&SourceFacts::bytes>},
    {"cdcrt_source_partitions", Type::kGauge, "partitions", "component, state",
     "Partitions that are assigned to this process: `owned`, whose lease it has, and `waiting`, which it is about to claim.", partitions},
    {"cdcrt_source_leases_lost_total", Type::kCounter, "", kSource, "Leases that were given up or taken by another process.", of_source<&SourceFacts::leases_lost>},
    {"cdcrt_source_lag_messages", Type::kGauge, "messages", kSource,
     "Messages of its partitions that are not read and handed to the tables yet, up to the end of the log as the broker told it last. Absent where the source does not know the end.", of_source_where_known<&SourceFacts::lag_messages>},
    {"cdcrt_source_left_seconds", Type::kGauge, "seconds", kSource,
     "How long the rest of the input takes at the speed of the last minute, less what arrives meanwhile; 0 where it follows what arrives. Absent where that is not known.", of_source_where_known<&SourceFacts::left_seconds>},

    {"cdcrt_sink_up", Type::kGauge, "", kSink, "1 while the target answers.",
     [](Samples& s) { each_sink(s, [&](const std::string& l, const SinkFacts& f) { s.add(l, uint64_t{f.state == "writing" ? 1U : 0U}); }); }},
    {"cdcrt_sink_lag_seconds", Type::kGauge, "seconds", kSink, "How far the table is behind its source that is furthest, of all tables; see `cdcrt_table_lag_seconds`.", of_sink<&SinkFacts::lag_seconds>},
    {"cdcrt_sink_tables", Type::kGauge, "tables", "component, state", "Tables by their state, all of them.",
     [](Samples& s) { of_sink_by<&SinkFacts::tables, kTableStates>(s, "state"); }},
    {"cdcrt_sink_loading_tables", Type::kGauge, "tables", kSink, "Tables whose rows come from a snapshot or load now.", of_sink<&SinkFacts::loading>},
    {"cdcrt_sink_retries_total", Type::kCounter, "", "component, class",
     "Writes that are tried again: the target is `unreachable`, `locked` by others, there was a `conflict` with another process, its `schema` had changed, or it `refused` rows.",
     [](Samples& s) { of_sink_by<&SinkFacts::retries, kRetryClasses>(s, "class"); }},
    {"cdcrt_sink_write_seconds", Type::kHistogram, "seconds", kSink, "How long a write took, from the choice of its tables until they were in the target, with all retries.", of_sink<&SinkFacts::write_seconds>},
    {"cdcrt_sink_write_rows", Type::kHistogram, "rows", kSink, "Rows (folded by key) of one write, of all its tables.", of_sink<&SinkFacts::write_rows>},
    {"cdcrt_sink_delay_seconds", Type::kHistogram, "seconds", kSink, "From the commit at the source to the commit in the target, of the oldest change in each batch of a table.", of_sink<&SinkFacts::delay_seconds>},
    {"cdcrt_sink_last_commit_timestamp_seconds", Type::kGauge, "seconds", kSink, "When rows were last committed, since 1970; 0: not in this run.",
     [](Samples& s) { each_sink(s, [&](const std::string& l, const SinkFacts& f) { s.add(l, seconds(f.last_commit_us)); }); }},

    {"cdcrt_table_rows_total", Type::kCounter, "rows", "component, table, operation", "Events of the source that were applied; snapshots are inserts.", of_table_by_operation<&TableFacts::rows>},
    {"cdcrt_table_bytes_total", Type::kCounter, "bytes", "component, table, operation", "Keys and values of the messages of these events.", of_table_by_operation<&TableFacts::bytes>},
    {"cdcrt_table_batches_total", Type::kCounter, "batches", kTable, "Batches of the table that were committed.", of_table<&TableFacts::batches>},
    {"cdcrt_table_lag_messages", Type::kGauge, "messages", kTable,
     "Messages of the partitions that bring its rows which are not applied yet, those of other tables among them. Absent where the source does not know the end.", of_table_where_known<&TableFacts::lag_messages>},
    {"cdcrt_table_lag_seconds", Type::kGauge, "seconds", kTable,
     "How far the table is behind its source: the age of its oldest change that was read and is not applied, or, where messages of its partitions are not read yet, of the last one that was. 0 when there is neither.", of_table_where_known<&TableFacts::lag_seconds>},
    {"cdcrt_table_last_commit_timestamp_seconds", Type::kGauge, "seconds", kTable, "When rows of the table were last committed, since 1970; 0: not in this run.",
     [](Samples& s) { each_table(s, [&](const std::string& l, const TableFacts& f) { s.add(l, seconds(f.last_commit_us)); }); }},
    {"cdcrt_table_buffered_rows", Type::kGauge, "rows", kTable, "Rows (folded by key) that wait to be written.", of_table<&TableFacts::buffered_rows>},
    {"cdcrt_table_buffered_bytes", Type::kGauge, "bytes", kTable, "Memory that they take.", of_table<&TableFacts::buffered_bytes>},
    {"cdcrt_table_state", Type::kGauge, "", "component, table, state", "1 for the state that the table is in, no line for the others.", table_states},
    {"cdcrt_table_schema_changes_total", Type::kCounter, "", kTable, "Changes of the table's definition in the target, of a table that existed.", of_table<&TableFacts::schema_changes>},
    {"cdcrt_table_overflowed_values_total", Type::kCounter, "values", kTable, "Values that were cut or made NULL (`on_overflow`). No line while there is none.", of_table_where_any<&TableFacts::overflowed>},
    {"cdcrt_table_late_values_total", Type::kCounter, "values", kTable, "Values of columns that were dropped before they came. No line while there is none.", of_table_where_any<&TableFacts::late>},
    {"cdcrt_table_left_out_values_total", Type::kCounter, "values", kTable, "Values of columns that the table lacks (`schema_changes = \"ignore\"`). No line while there is none.", of_table_where_any<&TableFacts::left_out>},
});
// clang-format on

}  // namespace

std::string_view name_of(MetricType type) { return kTypes[static_cast<std::size_t>(type)]; }

std::span<const Metric> metrics() { return kMetrics; }

std::string_view content_type(Exposition exposition) {
  return exposition == Exposition::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                : "text/plain; version=0.0.4; charset=utf-8";
}

std::string render_metrics(const Snapshot& snapshot, Exposition exposition, std::size_t max_tables) {
  Samples samples(snapshot, exposition, max_tables);
  for (const Metric& metric : kMetrics) {
    samples.begin(metric);
    metric.give(samples);
  }
  return samples.take();
}

std::string metrics_markdown() {
  std::string out =
      "# Metrics\n\nWhat `/metrics` tells, see [operating](../operating.md#metrics-and-health). Each has the label `pipeline`; `component` is `sources.NAME` or "
      "`sinks.NAME`; `table` is the target table's name, or `" +
      std::string(kOtherTables) +
      "` for those beyond `http_tables`, together. Written by `cdcrt reference metrics`.\n\n"
      "| metric | type | unit | labels | |\n|---|---|---|---|---|\n";
  for (const Metric& metric : kMetrics) {
    out += "| `" + std::string(metric.name) + "` | " + std::string(name_of(metric.type)) + " | " + std::string(metric.unit) + " | " +
           std::string(metric.labels) + " | " + std::string(metric.help) + " |\n";
  }
  return out;
}

}  // namespace cdcrt::observe
