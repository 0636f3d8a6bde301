// Change events as AWS DMS writes them to Kafka, and the rows they end in.
#pragma once

#include "generator_settings.hpp"

namespace cdcrt::bench {

/// Throws std::runtime_error.
void generate_dms(const GeneratorSettings& settings);

}  // namespace cdcrt::bench
