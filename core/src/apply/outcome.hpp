// Outcome: what an attempt to write ended in, said as what happens next.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "diagnostics/result.hpp"

namespace cdcrt::apply {

enum class Next : uint8_t {
  kDone,           ///< it is in the target
  kRepeat,         ///< something changed (a partition was lost, another process stored something) and was read: try the same again
  kLookAgain,      ///< the target's definition has changed: read it and try again, a few times
  kWaitForLock,    ///< another transaction has the lock: try again later
  kWaitForTarget,  ///< the target cannot be reached: try again later, on a new connection
  kIsolate,        ///< the target refuses a row: find out which
  kDetach,         ///< the table cannot be written for now: detach it, the others go on
  kStop            ///< the pipeline must stop
};

/// How often in a row a write is tried again because somebody changed the target's definition.
inline constexpr int kMaxLooks = 4;

/// The target cannot be reached, or the connection is lost: nobody's fault.
inline bool is_outage(const Error& error) { return error.code == CDCRT_RETRY || error.code == CDCRT_UNREACHABLE; }

class [[nodiscard]] Outcome {
 public:
  Outcome() = default;
  /// What follows from an error of the target where nothing else is known.
  Outcome(Error error) : next_(after(error)), error_(std::move(error)) {}
  Outcome(Result<void> done) {
    if (!done) *this = Outcome(std::move(done.error()));
  }
  static Outcome repeat(std::string why) { return {Next::kRepeat, make_error(CDCRT_STALE_SCHEMA, std::move(why))}; }
  static Outcome wait_for_target(Error error) { return {Next::kWaitForTarget, std::move(error)}; }
  static Outcome detach(Error error) { return {Next::kDetach, std::move(error)}; }
  static Outcome stop(Error error) { return {Next::kStop, std::move(error)}; }

  [[nodiscard]] Next next() const { return next_; }
  explicit operator bool() const { return next_ == Next::kDone; }
  [[nodiscard]] bool waits() const { return next_ == Next::kWaitForLock || next_ == Next::kWaitForTarget; }
  /// Unless it is done.
  Error& error() { return *error_; }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  Outcome(Next next, Error error) : next_(next), error_(std::move(error)) {}
  static Next after(const Error& error) {
    switch (error.code) {
      case CDCRT_BAD_RECORD: return Next::kIsolate;
      case CDCRT_STALE_SCHEMA: return Next::kLookAgain;
      case CDCRT_BUSY: return Next::kWaitForLock;
      case CDCRT_RETRY:
      case CDCRT_UNREACHABLE: return Next::kWaitForTarget;
      case CDCRT_FATAL: return Next::kStop;
      default: return Next::kDetach;
    }
  }

  Next next_ = Next::kDone;
  std::optional<Error> error_;
};

}  // namespace cdcrt::apply
