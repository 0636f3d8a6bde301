// Change events as Flink CDC's MySQL connector writes them, and the rows they end in.
#pragma once

namespace cdcrt::bench {

/// generate_events --format flink-cdc [--events N] [--seed N] [--tables N] [--partitions N] [--out FILE|-] [--expected FOLDER].
/// Throws std::runtime_error.
void generate_flink(int count, char** arguments);

}  // namespace cdcrt::bench
