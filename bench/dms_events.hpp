// Change events as AWS DMS writes them to Kafka, and the rows they end in.
#pragma once

namespace cdcrt::bench {

/// generate_events --format dms [--events N] [--seed N] [--tables N] [--partitions N] [--random-partitions] [--details] [--out FILE|-]
/// [--expected FOLDER]. Throws std::runtime_error.
void generate_dms(int count, char** arguments);

}  // namespace cdcrt::bench
