// Names that an option had before: they are still read, with a warning (docs/compatibility.md).
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "cdcrt/abi/base.h"

namespace cdcrt::plugin {

/// As cdcrt_option.former_keys lists them.
inline std::vector<std::string_view> former_keys(const cdcrt_option& option) {
  std::vector<std::string_view> keys;
  std::string_view rest = option.former_keys == nullptr ? "" : option.former_keys;
  while (!rest.empty()) {
    const std::string_view key = rest.substr(0, rest.find(' '));
    if (!key.empty()) keys.push_back(key);
    rest.remove_prefix(std::min(key.size() + 1, rest.size()));
  }
  return keys;
}

/// Up to the last dot, with it: "batch." of "batch.max_age".
inline std::string_view table_of(std::string_view key) { return key.substr(0, key.rfind('.') + 1); }

}  // namespace cdcrt::plugin
