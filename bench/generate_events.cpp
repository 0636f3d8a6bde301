// Writes change events of a format, and the rows they end in: one `kcat -J` line a message, or files for `kcat -P`, one for each
// partition. Deterministic by seed.

#include <cstdio>
#include <exception>

#include "debezium_events.hpp"
#include "dms_events.hpp"
#include "flink_events.hpp"
#include "generator_settings.hpp"

int main(int count, char** arguments) {
  try {
    const cdcrt::bench::GeneratorSettings settings = cdcrt::bench::parse_generator_settings(count, arguments);
    if (settings.format == "dms") {
      generate_dms(settings);
    } else if (settings.format == "flink-cdc") {
      generate_flink(settings);
    } else {
      generate_debezium(settings);
    }
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "generate_events: %s\n", exception.what());
    return 1;
  }
}
