// RowsAside: messages of a batch folded once more, beside their table: for what is tried row by row, or applied later.
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

/// Nobody is told of it, nothing of it is counted, and the source is asked for nothing. One thread.
class RowsAside {
 public:
  /// By what is known of the table's columns; of the rest of `known` only the floor, and whether it is kept in source order, count.
  RowsAside(TableIdentity identity, progress::StoredTable known);
  /// By what a batch knows of its table, which has judged what the route names.
  explicit RowsAside(const Sealed& batch, const std::string& floor = {});

  /// Where a partition stands before the rows that come.
  void begin(progress::Partition& partition, int64_t next_offset, const std::string& order);
  /// Partitions that bring nothing here count: without a key they decide what can be told from each other.
  void count_others(std::size_t count) { fold_.count_others(count); }
  /// Rows of messages of one partition, ascending; what is refused is left out.
  void add(const Decoded& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  /// Why no more is folded; empty: it is.
  [[nodiscard]] const std::string& stopped() const { return fold_.stopped(); }
  /// What was folded, as a batch of that table, with the slots of `batch` where there is one. nullopt: there is nothing to write.
  std::optional<Sealed> take(Table& table);

 private:
  void restore(progress::StoredTable known);

  const TableIdentity identity_;
  const Sealed* const batch_ = nullptr;
  TableFold fold_;
};

/// The rows of one message; refused ones became dead letters when they were folded first.
std::optional<Sealed> fold_alone(const Sealed& batch, progress::Partition& partition, const cdcrt_messages& message,
                                 const event::RowBatch& rows, const std::vector<uint32_t>& indexes, const event::ShapeRegistry& shapes);

}  // namespace cdcrt::apply
