// option(): one row of a plugin's option table; OptionTable: all of them. Header-only, C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "cdcrt/abi/plugin.h"

namespace cdcrt::sdk {

/// For option(): there is no maximum.
inline constexpr double kNoMaximum = std::numeric_limits<double>::infinity();

/// See cdcrt_option for each part. All texts are borrowed: literals. Without minimum and maximum, or with 0 and 0, every value is allowed.
constexpr cdcrt_option option(cdcrt_option_type type, uint16_t flags, const char* key, const char* doc, const char* default_value,
                              const char* example, const char* const* enum_values = nullptr, double minimum = 0, double maximum = 0) {
  unsigned bounds = 0;
  if (minimum != 0 || maximum != 0) bounds = CDCRT_OPTION_MINIMUM | (maximum < kNoMaximum ? static_cast<unsigned>(CDCRT_OPTION_MAXIMUM) : 0U);
  if (maximum >= kNoMaximum) maximum = 0;
  return {sizeof(cdcrt_option), static_cast<uint16_t>(type), static_cast<uint16_t>(flags | bounds), key, doc, default_value, example, enum_values,
          minimum, maximum};
}

/// Borrows rows that live as long as the shared object.
struct OptionTable {
  const cdcrt_option* options = nullptr;
  uint32_t count = 0;
};

template <size_t kCount>
OptionTable option_table(const cdcrt_option (&options)[kCount]) {
  return {options, static_cast<uint32_t>(kCount)};
}

}  // namespace cdcrt::sdk
