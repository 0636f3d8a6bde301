// Writer: takes batches of ready tables, several into one transaction, and sees each of them through until it is in the target or its
// table is detached.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "apply/sealed.hpp"
#include "apply/target_connection.hpp"

namespace cdcrt::apply {

class WriteTransaction;

/// One thread, one connection.
class Writer {
 public:
  explicit Writer(const WriterContext& context) : connection_(context) {}

  /// Writes the batches, together if it can, else one by one; each is then completed, or its table detached. Error: the pipeline
  /// cannot go on (or gives up); batches that were not written stay sealed.
  Result<void> write(std::vector<Sealed>& batches);
  /// Stores low watermarks in a transaction of their own; those of partitions that were lost are left out. Does not wait for an
  /// outage to end.
  Result<void> save_watermarks(std::vector<progress::Store::Watermark> watermarks);
  /// Runs `body` on the connection, outside of any transaction. Does not wait for an outage to end.
  Result<void> run(const std::function<Result<void>(plugin::Connection&)>& body) { return connection_.run(body); }
  /// Stores which keys these tables wrote last, for the next process. Tables that are not reached before `until` are left out.
  Result<void> save_known_keys(const std::vector<Table*>& tables, std::chrono::steady_clock::time_point until);

 private:
  Outcome attempt(const std::vector<Sealed*>& batches, std::vector<const Entry*>& missing);
  Outcome attempt_alone(Sealed& sealed, std::vector<const Entry*>& missing);
  Result<bool> write_together(const std::vector<Sealed*>& batches);
  Result<void> write_alone(Sealed& sealed, bool is_last);
  Result<void> end_doubtful_watermarks(plugin::Connection& connection, WriteTransaction& transaction);

  TargetConnection connection_;
  std::vector<const progress::Partition*> doubtful_;  ///< whose watermarks were sent, and the answer to COMMIT was lost
};

}  // namespace cdcrt::apply
