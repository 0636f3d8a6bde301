// Places in a binlog, which tell their log.
#pragma once

#include <string>

#include "cdcrt/sdk/source_order.hpp"

namespace cdcrt::rig {

/// File, position, when the change was made and when it was read (seconds).
inline std::string in_log(uint64_t file, uint64_t position, uint64_t made, uint64_t read = 0) {
  std::string out;
  sdk::append_order(out, file);
  sdk::append_order(out, position);
  sdk::append_log(out, {made * 1000, (read == 0 ? made : read) * 1000, "7", "binlog", {}, 0});
  return out;
}

}  // namespace cdcrt::rig
