// RowsAside: folds messages a second time beside their table, to try rows one by one (isolation) or to apply them later (replay).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apply/decoded.hpp"
#include "apply/sealed.hpp"
#include "apply/table_fold.hpp"
#include "apply/table_identity.hpp"
#include "progress/stored.hpp"

namespace cdcrt::apply {

/// Without side effects: no observer is called, nothing is counted, no source is rewound. One thread.
class RowsAside {
 public:
  /// With the columns that `known` has; of the rest of it only `floor` and `by_source` matter.
  RowsAside(TableIdentity identity, progress::StoredTable known);
  /// With what `batch` knows of its table.
  explicit RowsAside(const Sealed& batch, const std::string& floor = {});

  /// Sets where a partition stands before the first row.
  void begin(progress::Partition& partition, int64_t next_offset, const std::string& order);
  /// How many other partitions bring rows of the table: tables without a key allow updates and deletes from one partition only.
  void count_others(std::size_t count) { fold_.count_others(count); }
  /// Rows of messages of one partition, ascending; what is refused is left out.
  void add(const Decoded& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  /// Why folding stopped; empty: it did not.
  [[nodiscard]] const std::string& stopped() const { return fold_.stopped(); }
  /// What was folded as a batch of `table`, with the slots of the batch it was made with. nullopt: there is nothing to write.
  std::optional<Sealed> take(Table& table);

 private:
  void restore(progress::StoredTable known);

  const TableIdentity identity_;
  const Sealed* const batch_ = nullptr;
  TableFold fold_;
};

/// Folds the rows of one message alone. Refused rows are left out: they became dead letters when they were folded first.
std::optional<Sealed> fold_alone(const Sealed& batch, progress::Partition& partition, const cdcrt_messages& message,
                                 const event::RowBatch& rows, const std::vector<uint32_t>& indexes, const event::ShapeRegistry& shapes);

}  // namespace cdcrt::apply
