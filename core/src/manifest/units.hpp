// Durations and sizes as written in a manifest.
#pragma once

#include <cstdint>
#include <string_view>

#include "diagnostics/result.hpp"

namespace cdcrt::manifest {

/// "250ms", "1.5s", "5min", "1h" -> microseconds. Units: us, ms, s, min, h, d. "0" needs none. Never negative.
Result<int64_t> parse_duration(std::string_view text);

/// "64MiB", "1GB", "4096" -> bytes. Units: B, kB, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024).
Result<int64_t> parse_bytes(std::string_view text);

/// The whole text is a decimal integer, in range.
Result<int64_t> parse_integer(std::string_view text);

/// The whole text is a decimal number; infinity and NaN are refused.
Result<double> parse_real(std::string_view text);

}  // namespace cdcrt::manifest
