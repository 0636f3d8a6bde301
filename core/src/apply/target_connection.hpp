// TargetConnection: one writer's connection to the target: reconnects, retries, waits while the target is out of reach.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "apply/outcome.hpp"
#include "apply/writer_context.hpp"

namespace cdcrt::apply {

/// A write that is retried until the target takes it, or fails in a way that waiting does not mend.
struct Undertaking {
  const Table& table;
  const bool& commit_unknown;  ///< the answer to a COMMIT was lost: nothing is decided before the target was asked whether it was done
  bool is_last = true;         ///< false: other tables that failed in the same transaction are still to be tried, and may be the cause
};

/// One thread.
class TargetConnection {
 public:
  explicit TargetConnection(const WriterContext& context) : context_(context) {}

  [[nodiscard]] const WriterContext& context() const { return context_; }
  /// False: the connection was lost, and connect() was not called since.
  [[nodiscard]] bool is_open() const { return connection_.has_value(); }
  plugin::Connection& operator*() { return *connection_; }
  plugin::Connection* operator->() { return &*connection_; }

  Result<void> connect();
  void roll_back();
  /// Runs `body` on the connection, outside of any transaction. Does not wait for an outage to end.
  Result<void> run(const std::function<Result<void>(plugin::Connection&)>& body);
  /// Once: connects, waits for its turn, runs `body`.
  Outcome try_once(const std::function<Outcome()>& body);
  /// Runs `body` until it succeeds or fails in a way that waiting does not mend; or until other tables cannot wait any longer.
  Outcome retry(const Undertaking& undertaking, const std::function<Outcome()>& body);
  /// Waits, a little longer each time. Not done: the process gives up; answers `failed`.
  Outcome wait(const Outcome& failed);
  /// The target answered.
  void reached(bool is_last = true);

 private:
  [[nodiscard]] std::unique_lock<std::mutex> take_turn();
  [[nodiscard]] bool is_locked_whole(const Outcome& failed) const;
  [[nodiscard]] bool takes_too_long(const Outcome& failed, const Table& table) const;
  bool takes_other_rows();
  void gives_way();

  WriterContext context_;
  std::optional<plugin::Connection> connection_;
  unsigned failures_ = 0;
  std::chrono::steady_clock::time_point failing_since_{};
  bool has_lost_connection_ = false;  ///< the last try found a connection broken that was good before
  bool told_outage_ = false;          ///< the Outage knows of a failure of ours, and not yet of its end
};

}  // namespace cdcrt::apply
