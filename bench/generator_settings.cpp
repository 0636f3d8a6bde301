#include "generator_settings.hpp"

#include <stdexcept>
#include <string_view>

#include "options.hpp"

namespace cdcrt::bench {
namespace {

constexpr uint64_t kMostTables = 100'000;
constexpr uint64_t kMostTablesInPieces = 200;  // a topic for each is files that are open at once

/// Before everything else: it decides which options there are.
std::string format_of(int count, char** arguments) {
  std::string format = GeneratorSettings{}.format;
  for (int i = 1; i + 1 < count; ++i) {
    if (arguments[i] == std::string_view("--format")) format = arguments[i + 1];
  }
  if (format != "debezium" && format != "dms" && format != "flink-cdc") throw std::runtime_error("--format: debezium, dms or flink-cdc");
  return format;
}

}  // namespace

GeneratorSettings parse_generator_settings(int count, char** arguments) {
  GeneratorSettings settings;
  settings.format = format_of(count, arguments);
  Options options;
  options.add("--format", settings.format);
  options.add("--events", settings.events);
  options.add("--seed", settings.seed);
  options.add("--tables", settings.tables);
  options.add("--out", settings.out);
  options.add("--expected", settings.expected);
  if (settings.format == "debezium") {
    options.add("--workload", settings.workload);
    options.add("--no-schemas", settings.without_schemas);
    options.add("--pieces", settings.pieces);
    options.add("--topic", settings.topic);
  } else {
    options.add("--partitions", settings.partitions);
  }
  if (settings.format == "dms") {
    options.add("--random-partitions", settings.random_partitions);
    options.add("--details", settings.details);
  }
  options.parse(count, arguments);
  const uint64_t most = settings.pieces.empty() || !settings.topic.empty() ? kMostTables : kMostTablesInPieces;
  if (settings.tables == 0 || settings.tables > most) throw std::runtime_error("--tables: from 1 to " + std::to_string(most));
  if (settings.partitions == 0) throw std::runtime_error("--partitions: at least 1");
  return settings;
}

}  // namespace cdcrt::bench
