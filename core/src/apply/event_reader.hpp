// EventReader: what isolation asks of who can read the source again.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "diagnostics/result.hpp"
#include "event/row_batch.hpp"
#include "progress/partition.hpp"

namespace cdcrt::apply {

class Table;

/// Reads events of a table again. Implemented by the runtime on top of source and format.
class EventReader {
 public:
  virtual ~EventReader() = default;
  /// Calls `visit` for each message first..last of the partition with the rows of it that go to `table`; false stops.
  using Visit = std::function<bool(const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes)>;
  virtual Result<void> read(const Table& table, const progress::Partition& partition, int64_t first, int64_t last, const Visit& visit) = 0;
  /// The same for the first of these messages: as many as the source gives at once where `turns` partitions are read in turn, a piece of
  /// each, so that one pass over files serves them all. The answer is the offset from which on nothing was visited.
  virtual Result<int64_t> read_piece(const Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                                     std::size_t turns, const Visit& visit) = 0;
  virtual event::ShapeRegistry& shapes() = 0;
};

}  // namespace cdcrt::apply
