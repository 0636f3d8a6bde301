#include "observe/status.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <vector>

#include "diagnostics/userinfo.hpp"
#include "observe/json_writer.hpp"

namespace cdcrt::observe {
namespace {

constexpr std::size_t kMaxLimit = 100'000;
constexpr std::string_view kSorts[] = {"name", "lag", "rows", "state"};  // in the order of StatusQuery::Sort
constexpr int64_t kSecond = 1'000'000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      unsigned value = 0;
      const char* const begin = text.data() + i + 1;
      if (i + 2 >= text.size() || std::from_chars(begin, begin + 2, value, 16).ptr != begin + 2) return std::nullopt;
      out += static_cast<char>(value);
      i += 2;
    }
  }
  return out;
}

// A driver's or library's text may name what it was connected with; the log covers it in the same way.
std::string shown(const std::string& reason) { return diagnostics::without_userinfo(reason, diagnostics::Addresses::kWithScheme); }

Error bad(std::string_view name, const std::string& why) {
  return make_error(CDCRT_BAD_CONFIG, "the parameter '" + diagnostics::printable(name.substr(0, 80)) + "' " + why);
}

bool read_number(const std::string& text, std::size_t max, std::size_t& into) {
  std::size_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value > max) return false;
  into = value;
  return true;
}

/// Seconds since then; nullopt: never.
std::optional<double> age(const Snapshot& snapshot, int64_t moment_us) {
  if (moment_us == 0) return std::nullopt;
  return static_cast<double>(std::max<int64_t>(0, snapshot.taken_us - moment_us)) / kSecond;
}

void write_reasons(JsonWriter& json, std::string_view key, const std::vector<Reason>& reasons) {
  json.begin(key, '[');
  for (const Reason& reason : reasons) {
    json.begin({}, '{');
    json.member("component", reason.component);
    json.member("reason", shown(reason.text));
    json.end('}');
  }
  json.end(']');
}

template <class Names, class Counts>
void write_counts(JsonWriter& json, std::string_view key, const Names& names, const Counts& counts) {
  json.begin(key, '{');
  for (std::size_t i = 0; i < names.size(); ++i) json.member(names[i], counts[i]);
  json.end('}');
}

void write_process(JsonWriter& json, const Snapshot& snapshot) {
  const ProcessFacts& process = snapshot.process;
  json.begin("process", '{');
  json.member("host", process.host);
  json.member("pid", process.pid);
  json.member("uptime_seconds", age(snapshot, process.started_us));
  json.member("cpu_seconds", process.cpu_seconds);
  json.member("resident_bytes", process.resident_bytes);
  json.member("open_files", process.open_files);
  json.member("max_open_files", process.max_open_files);
  json.member("threads", process.threads);
  json.end('}');
  const BufferFacts& buffers = snapshot.buffers;
  json.begin("buffers", '{');
  json.member("budget_bytes", buffers.budget);
  json.member("message_bytes", buffers.message_bytes);
  json.member("message_limit_bytes", buffers.message_limit);
  json.member("row_bytes", buffers.row_bytes);
  json.member("row_limit_bytes", buffers.row_limit);
  json.member("dead_letter_bytes", buffers.dead_letter_bytes);
  json.end('}');
}

void write_totals(JsonWriter& json, const Snapshot& snapshot) {
  ByOperation rows{}, bytes{};
  for (const TableFacts& table : snapshot.tables) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i] += table.rows[i];
      bytes[i] += table.bytes[i];
    }
  }
  json.begin("totals", '{');
  write_counts(json, "applied_rows", kOperations, rows);
  write_counts(json, "applied_bytes", kOperations, bytes);
  json.member("decoded_rows", snapshot.rows);
  json.member("ignored_rows", snapshot.ignored);
  json.member("markers", snapshot.markers);
  json.member("rejected_messages", snapshot.rejected);
  json.member("dead_letters", snapshot.dead_letters);
  json.end('}');
}

void write_sources(JsonWriter& json, const Snapshot& snapshot) {
  json.begin("sources", '[');
  for (const SourceFacts& source : snapshot.sources) {
    json.begin({}, '{');
    json.member("name", source.name);
    json.member("plugin", source.plugin);
    json.member("format", source.format);
    json.member("state", source.state);
    json.member("reason", shown(source.reason));
    json.member("messages", source.messages);
    json.member("bytes", source.bytes);
    json.member("lag_messages", source.lag_messages);
    json.begin("input", '{');
    json.member("done", source.done);
    json.member("total", source.total);
    json.member("left_seconds", source.left_seconds);
    json.end('}');
    json.member("leases_lost", source.leases_lost);
    json.begin("partitions", '[');
    for (const PartitionFacts& partition : snapshot.partitions) {
      if (partition.source != source.name) continue;
      json.begin({}, '{');
      json.member("topic", partition.topic);
      json.member("partition", partition.number);
      json.member("owned", partition.owned);
      json.member("next_offset", partition.next_offset);
      json.member("end_offset", partition.end_offset);
      json.end('}');
    }
    json.end(']');
    json.end('}');
  }
  json.end(']');
}

void write_sinks(JsonWriter& json, const Snapshot& snapshot) {
  json.begin("sinks", '[');
  for (const SinkFacts& sink : snapshot.sinks) {
    json.begin({}, '{');
    json.member("name", sink.name);
    json.member("plugin", sink.plugin);
    json.member("state", sink.state);
    json.member("reason", shown(sink.reason));
    json.member("connections", sink.connections);
    json.member("loading_tables", sink.loading);
    json.member("lag_seconds", sink.lag_seconds);
    write_counts(json, "tables", kTableStates, sink.tables);
    write_counts(json, "retries", kRetryClasses, sink.retries);
    uint64_t writes = 0;
    for (const uint64_t count : sink.write_seconds.counts) writes += count;
    json.member("writes", writes);
    json.member("write_seconds", sink.write_seconds.sum);
    json.member("write_rows", sink.write_rows.sum);
    json.member("last_commit_age_seconds", age(snapshot, sink.last_commit_us));
    json.end('}');
  }
  json.end(']');
}

void write_table(JsonWriter& json, const Snapshot& snapshot, const TableFacts& table) {
  json.begin({}, '{');
  json.member("sink", table.sink);
  json.member("table", table.table);
  json.member("source_table", table.source);
  json.member("route", table.route);
  json.member("state", name_of(table.state));
  json.member("reason", shown(table.reason));
  write_counts(json, "applied_rows", kOperations, table.rows);
  write_counts(json, "applied_bytes", kOperations, table.bytes);
  json.member("batches", table.batches);
  json.member("lag_messages", table.lag_messages);
  json.member("lag_seconds", table.lag_seconds);
  json.member("loading", table.is_loading);
  json.member("left_seconds", table.left_seconds);
  json.member("last_commit_age_seconds", age(snapshot, table.last_commit_us));
  json.member("buffered_rows", table.buffered_rows);
  json.member("buffered_bytes", table.buffered_bytes);
  json.member("partitions", table.partitions);
  json.member("schema_changes", table.schema_changes);
  json.member("overflowed_values", table.overflowed);
  json.member("late_values", table.late);
  json.member("left_out_values", table.left_out);
  json.member("dead_letters", table.dead_letters);
  json.end('}');
}

uint64_t sum(const ByOperation& counts) { return counts[0] + counts[1] + counts[2]; }

std::vector<const TableFacts*> chosen(const Snapshot& snapshot, const StatusQuery& query) {
  const std::string part = lower(query.search);
  std::vector<const TableFacts*> found;
  for (const TableFacts& table : snapshot.tables) {
    if (!query.state.empty() && name_of(table.state) != query.state) continue;
    if (!part.empty() && lower(table.table).find(part) == std::string::npos) continue;
    found.push_back(&table);
  }
  using Sort = StatusQuery::Sort;
  std::stable_sort(found.begin(), found.end(), [&](const TableFacts* one, const TableFacts* other) {
    switch (query.sort) {
      case Sort::kLag: return one->lag_seconds.value_or(0) > other->lag_seconds.value_or(0);
      case Sort::kRows: return sum(one->rows) > sum(other->rows);
      case Sort::kState: return one->state > other->state;
      default: return false;
    }
  });
  return found;
}

void write_routes(JsonWriter& json, const Snapshot& snapshot) {
  struct Route {
    uint64_t tables = 0, buffered_rows = 0;
    ByOperation rows{};
  };
  std::map<std::string_view, Route> routes;
  for (const TableFacts& table : snapshot.tables) {
    Route& route = routes[table.route];
    ++route.tables;
    route.buffered_rows += table.buffered_rows;
    for (std::size_t i = 0; i < route.rows.size(); ++i) route.rows[i] += table.rows[i];
  }
  json.begin("routes", '[');
  for (const auto& [name, route] : routes) {
    json.begin({}, '{');
    json.member("name", name);
    json.member("tables", route.tables);
    write_counts(json, "applied_rows", kOperations, route.rows);
    json.member("buffered_rows", route.buffered_rows);
    json.end('}');
  }
  json.end(']');
}

void write_dead_letters(JsonWriter& json, const Snapshot& snapshot) {
  json.begin("dead_letters", '{');
  json.member("count", snapshot.dead_letters);
  json.member("place", shown(snapshot.dead_letter_place));
  json.begin("by_reason", '[');
  for (const DeadLetterFacts& facts : snapshot.dead_letters_by_reason) {
    json.begin({}, '{');
    json.member("sink", facts.sink);
    json.member("table", facts.table);
    json.member("reason", facts.reason);
    json.member("count", facts.count);
    json.end('}');
  }
  json.end(']');
  json.end('}');
}

}  // namespace

Result<StatusQuery> read_status_query(std::string_view query) {
  StatusQuery read;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!value) return bad(name, "is not well-formed");
    if (name == "limit" || name == "offset") {
      if (!read_number(*value, kMaxLimit, name == "limit" ? read.limit : read.offset)) {
        return bad(name, "must be a number up to " + std::to_string(kMaxLimit));
      }
    } else if (name == "sort") {
      const auto* found = std::find(std::begin(kSorts), std::end(kSorts), *value);
      if (found == std::end(kSorts)) return bad(name, "must be name, lag, rows or state");
      read.sort = static_cast<StatusQuery::Sort>(found - std::begin(kSorts));
    } else if (name == "state") {
      if (std::find(kTableStates.begin(), kTableStates.end(), *value) == kTableStates.end()) return bad(name, "is no state of tables");
      read.state = *value;
    } else if (name == "search") {
      read.search = *value;
    } else {
      return bad(name, "is not known; there are limit, offset, sort, state and search");
    }
  }
  return read;
}

std::string render_status(const Snapshot& snapshot, const StatusQuery& query) {
  JsonWriter json;
  json.begin({}, '{');
  json.member("status_version", 1);
  json.member("version", snapshot.process.version);
  json.member("pipeline", snapshot.pipeline);
  json.member("state", snapshot.state);
  json.member("time_ms", snapshot.taken_us / 1000);
  json.member("ready", snapshot.not_ready.empty());
  write_reasons(json, "reasons", snapshot.not_ready);
  write_process(json, snapshot);
  write_totals(json, snapshot);
  write_sources(json, snapshot);
  write_sinks(json, snapshot);
  write_routes(json, snapshot);
  const auto tables = chosen(snapshot, query);
  json.member("tables_total", snapshot.tables.size());
  json.member("tables_matched", tables.size());
  json.begin("tables", '[');
  for (std::size_t i = query.offset; i < tables.size() && i - query.offset < query.limit; ++i) write_table(json, snapshot, *tables[i]);
  json.end(']');
  write_dead_letters(json, snapshot);
  json.begin("ignored_tables", '[');
  for (const std::string& table : snapshot.ignored_tables) json.member({}, table);
  json.end(']');
  json.end('}');
  return json.take() + "\n";
}

std::string render_reasons(std::string_view key, const std::vector<Reason>& reasons) {
  JsonWriter json;
  json.begin({}, '{');
  json.member(key, reasons.empty());
  write_reasons(json, "reasons", reasons);
  json.end('}');
  return json.take() + "\n";
}

}  // namespace cdcrt::observe
