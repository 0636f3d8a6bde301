// The option tables of the host: the one place of its defaults.
#include <doctest/doctest.h>

#include <string>

#include "manifest/host_options.hpp"
#include "manifest/report.hpp"
#include "manifest/route_reader.hpp"

using namespace cdcrt;

TEST_CASE("host options: without keys a manifest is as its structs are made") {
  manifest::Report report;
  const manifest::Node nothing;
  manifest::TableReader runtime(nothing, "runtime", report), sink_table(nothing, "sinks.db", report),
      batch(nothing, "sinks.db.batch", report);
  const auto read = manifest::read_runtime_keys(runtime, "/");
  const manifest::Runtime fresh_runtime;
  CHECK(read.memory == fresh_runtime.memory);
  CHECK(read.decode_workers == fresh_runtime.decode_workers);
  CHECK(read.plugin_dirs.empty());
  CHECK(read.log_level == fresh_runtime.log_level);
  CHECK(read.shutdown_timeout == fresh_runtime.shutdown_timeout);
  CHECK(read.http.listen == fresh_runtime.http.listen);
  CHECK(read.http.token == fresh_runtime.http.token);
  CHECK(read.http.certificate == fresh_runtime.http.certificate);
  CHECK(read.http.max_tables == fresh_runtime.http.max_tables);

  manifest::Sink sink;
  sink.connections = 99;
  sink.stall_after = {};
  sink.progress_schema.clear();
  sink.batch = {1, 1, std::chrono::microseconds(1), std::chrono::microseconds(1)};
  manifest::read_sink_keys(sink_table, batch, sink);
  const manifest::Sink fresh;
  CHECK(sink.connections == fresh.connections);
  CHECK(sink.group_tables == fresh.group_tables);
  CHECK(sink.stall_after == fresh.stall_after);
  CHECK(sink.progress_schema == fresh.progress_schema);
  CHECK(sink.batch.max_rows == fresh.batch.max_rows);
  CHECK(sink.batch.max_bytes == fresh.batch.max_bytes);
  CHECK(sink.batch.max_age == fresh.batch.max_age);
  CHECK(sink.batch.min_interval == fresh.batch.min_interval);
  CHECK_FALSE(report.has_errors());
}

TEST_CASE("host options: without keys a pipeline and its routes are as their structs are made") {
  manifest::Report report;
  const manifest::Node nothing;
  manifest::TableReader top(nothing, "", report);
  manifest::Manifest manifest;
  route::Route& route = manifest.defaults;
  route.create_tables = false;
  route.mode = route::Mode::kAppend;
  route.ordering = route::Ordering::kSource;
  route.deletes = route::Deletes::kIgnore;
  route.schema_changes = route::SchemaChanges::kFail;
  route.tombstone_retention = {};
  manifest::read_routes(top, {}, manifest);
  const route::Route fresh;
  CHECK(route.create_tables == fresh.create_tables);
  CHECK(route.mode == fresh.mode);
  CHECK(route.ordering == fresh.ordering);
  CHECK(route.deletes == fresh.deletes);
  CHECK(route.schema_changes == fresh.schema_changes);
  CHECK(route.tombstone_retention == fresh.tombstone_retention);
  CHECK_FALSE(report.has_errors());

  manifest.unmatched_tables = route::UnmatchedTables::kFail;
  manifest::read_pipeline_keys(top, "name it", manifest);
  CHECK(manifest.unmatched_tables == route::Routing().unmatched_tables);
  CHECK(report.take().front().help == "name it");
}

TEST_CASE("host options: every key says what it means, and no key twice") {
  for (const auto& table : manifest::host_tables()) {
    std::string seen = " ";
    for (const cdcrt_option& option : table.options) {
      CHECK(std::string(option.doc).size() > 10);
      CHECK(option.example != nullptr);
      CHECK(seen.find(" " + std::string(option.key) + " ") == std::string::npos);
      seen += std::string(option.key) + " ";
    }
  }
}
