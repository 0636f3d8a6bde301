// Snapshots for the tests of this folder.
#pragma once

#include "observe/snapshot.hpp"

namespace cdcrt::observe {

/// One source, one sink, and that many tables t0, t1, ..., each with one more row, message and second behind than the one before.
inline Snapshot snapshot_of(std::size_t tables) {
  Snapshot snapshot;
  snapshot.pipeline = "shop";
  snapshot.state = "running";
  snapshot.taken_us = 1'700'000'000'000'000;
  snapshot.process.version = "0.1.0";
  SourceFacts& source = snapshot.sources.emplace_back();
  source.name = "events";
  source.plugin = "kafka";
  source.state = "reading";
  SinkFacts& sink = snapshot.sinks.emplace_back();
  sink.name = "db";
  sink.plugin = "odbc";
  sink.state = "writing";
  sink.write_seconds = SecondsHistogram().counts();
  sink.write_rows = RowsHistogram().counts();
  sink.delay_seconds = SecondsHistogram().counts();
  for (std::size_t i = 0; i < tables; ++i) {
    TableFacts& table = snapshot.tables.emplace_back();
    table.sink = "db";
    table.table = "t" + std::to_string(i);
    table.number = static_cast<uint32_t>(i);
    table.rows = {i + 1, 1, 0};
    table.lag_messages = i;
    table.lag_seconds = static_cast<double>(i);
    table.last_commit_us = snapshot.taken_us - 2'000'000;
    ++sink.tables[0];
  }
  return snapshot;
}

}  // namespace cdcrt::observe
