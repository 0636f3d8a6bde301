// WritePreparation: what is done before the transaction that writes batches, so that it finds leases, tables and columns as it needs them.
#pragma once

#include <vector>

#include "apply/write_transaction.hpp"

namespace cdcrt::apply {

/// Made for one attempt. One thread.
class WritePreparation {
 public:
  explicit WritePreparation(TargetConnection& connection)
      : connection_(connection), context_(connection.context()), transaction_(connection) {}

  /// Done: leases are claimed, the tables are there, have the columns, and are to be written; changes of one key are in order.
  Outcome prepare(const std::vector<Sealed*>& batches);

 private:
  Outcome prepare_together(const std::vector<Sealed*>& batches, bool transactional);
  Outcome prepare_tables_of(const std::vector<Sealed*>& batches, bool transactional);
  void tell_unshown_columns(const Sealed& sealed);
  Outcome put_in_order(Sealed& sealed);
  Result<void> read_known_keys(Sealed& sealed);
  Outcome keep_by_source(Sealed& sealed);
  Outcome stop_for_good(Sealed& sealed);

  TargetConnection& connection_;
  const WriterContext& context_;
  WriteTransaction transaction_;
};

}  // namespace cdcrt::apply
