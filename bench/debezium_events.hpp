// Change events as Debezium's PostgreSQL connector writes them, and the rows they end in.
#pragma once

#include "generator_settings.hpp"

namespace cdcrt::bench {

/// Throws std::runtime_error.
void generate_debezium(const GeneratorSettings& settings);

}  // namespace cdcrt::bench
