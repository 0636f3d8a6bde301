#include "cli/status_facts.hpp"

#include <rapidjson/document.h>

namespace cdcrt::cli {
namespace {

using rapidjson::Value;

// What is not there is read as nothing: later versions of the form may leave out what they do not know.
const Value& member(const Value& object, const char* name) {
  static const Value kNothing;
  if (!object.IsObject()) return kNothing;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? kNothing : found->value;
}

std::string text(const Value& object, const char* name) {
  const Value& value = member(object, name);
  return value.IsString() ? std::string(value.GetString(), value.GetStringLength()) : std::string();
}

uint64_t count(const Value& value) { return value.IsUint64() ? value.GetUint64() : 0; }
uint64_t count(const Value& object, const char* name) { return count(member(object, name)); }

std::optional<uint64_t> known_count(const Value& object, const char* name) {
  const Value& value = member(object, name);
  return value.IsUint64() ? std::optional(value.GetUint64()) : std::nullopt;
}

std::optional<double> known_number(const Value& object, const char* name) {
  const Value& value = member(object, name);
  return value.IsNumber() ? std::optional(value.GetDouble()) : std::nullopt;
}

uint64_t sum(const Value& counts) {
  uint64_t all = 0;
  if (!counts.IsObject()) return all;
  for (const auto& each : counts.GetObject()) all += count(each.value);
  return all;
}

template <class Take>
void each(const Value& object, const char* name, const Take& take) {
  const Value& list = member(object, name);
  if (!list.IsArray()) return;
  for (const Value& element : list.GetArray()) take(element);
}

StatusFacts::Source read_source(const Value& from) {
  StatusFacts::Source source;
  source.name = text(from, "name");
  source.plugin = text(from, "plugin");
  source.state = text(from, "state");
  source.reason = text(from, "reason");
  source.messages = count(from, "messages");
  source.bytes = count(from, "bytes");
  source.done = count(member(from, "input"), "done");
  source.total = count(member(from, "input"), "total");
  source.left_seconds = known_number(member(from, "input"), "left_seconds");
  source.lag_messages = known_count(from, "lag_messages");
  return source;
}

StatusFacts::Sink read_sink(const Value& from) {
  StatusFacts::Sink sink;
  sink.name = text(from, "name");
  sink.plugin = text(from, "plugin");
  sink.state = text(from, "state");
  sink.reason = text(from, "reason");
  sink.connections = count(from, "connections");
  sink.writes = count(from, "writes");
  const Value& rows = member(from, "write_rows");
  sink.write_rows = rows.IsNumber() ? static_cast<uint64_t>(rows.GetDouble()) : 0;
  sink.retries = sum(member(from, "retries"));
  sink.lag_seconds = known_number(from, "lag_seconds").value_or(0);
  sink.last_commit_age = known_number(from, "last_commit_age_seconds");
  if (const Value& tables = member(from, "tables"); tables.IsObject()) {
    for (const auto& state : tables.GetObject()) sink.tables.emplace_back(state.name.GetString(), count(state.value));
  }
  return sink;
}

StatusFacts::Table read_table(const Value& from) {
  StatusFacts::Table table;
  table.sink = text(from, "sink");
  table.name = text(from, "table");
  table.state = text(from, "state");
  table.reason = text(from, "reason");
  table.rows = sum(member(from, "applied_rows"));
  table.buffered_rows = count(from, "buffered_rows");
  table.dead_letters = count(from, "dead_letters");
  table.lag_messages = known_count(from, "lag_messages");
  table.lag_seconds = known_number(from, "lag_seconds");
  table.left_seconds = known_number(from, "left_seconds");
  table.is_loading = member(from, "loading").IsTrue();
  return table;
}

}  // namespace

Result<StatusFacts> read_status(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || count(document, "status_version") == 0) {
    return make_error(CDCRT_BAD_RECORD, "the answer is not the status of a cdcrt pipeline",
                      "give the address that the manifest's `http` names");
  }
  if (count(document, "status_version") != 1) {
    return make_error(CDCRT_BAD_RECORD,
                      "the pipeline is of version " + text(document, "version") + ", whose status this program cannot read",
                      "use the cdcrt of that version");
  }
  StatusFacts facts;
  facts.version = text(document, "version");
  facts.pipeline = text(document, "pipeline");
  facts.state = text(document, "state");
  facts.time_ms = static_cast<int64_t>(count(document, "time_ms"));
  facts.is_ready = member(document, "ready").IsTrue();
  each(document, "reasons", [&](const Value& reason) { facts.reasons.emplace_back(text(reason, "component"), text(reason, "reason")); });
  const Value& process = member(document, "process");
  facts.host = text(process, "host");
  facts.pid = static_cast<int64_t>(count(process, "pid"));
  facts.uptime_seconds = known_number(process, "uptime_seconds").value_or(0);
  facts.cpu_seconds = known_number(process, "cpu_seconds").value_or(0);
  facts.resident_bytes = count(process, "resident_bytes");
  const Value& buffers = member(document, "buffers");
  facts.budget_bytes = count(buffers, "budget_bytes");
  facts.buffered_bytes = count(buffers, "message_bytes") + count(buffers, "row_bytes") + count(buffers, "dead_letter_bytes");
  const Value& totals = member(document, "totals");
  facts.rows = sum(member(totals, "applied_rows"));
  facts.dead_letters = count(totals, "dead_letters");
  each(document, "sources", [&](const Value& source) { facts.sources.push_back(read_source(source)); });
  each(document, "sinks", [&](const Value& sink) { facts.sinks.push_back(read_sink(sink)); });
  facts.tables_total = count(document, "tables_total");
  facts.tables_matched = count(document, "tables_matched");
  each(document, "tables", [&](const Value& table) { facts.tables.push_back(read_table(table)); });
  each(member(document, "dead_letters"), "by_reason", [&](const Value& facts_of) {
    facts.dead_letters_by_reason.push_back({text(facts_of, "table"), text(facts_of, "reason"), count(facts_of, "count")});
  });
  return facts;
}

}  // namespace cdcrt::cli
