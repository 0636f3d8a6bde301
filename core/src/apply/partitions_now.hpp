// PartitionsNow: how far the partitions of this process are, as of one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "progress/partition.hpp"

namespace cdcrt::apply {

struct PartitionNow {
  int64_t next = 0;            ///< everything below was handed to the tables
  std::optional<int64_t> end;  ///< of the log, as its source knows it; nullopt: it does not
  int64_t read_us = 0;         ///< time of the last message below `next`, since 1970; 0: not known
  [[nodiscard]] bool is_read() const { return !end || next >= *end; }
};
using PartitionsNow = std::unordered_map<const progress::Partition*, PartitionNow>;

}  // namespace cdcrt::apply
