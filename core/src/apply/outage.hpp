// Outage: a time in which the target cannot be reached, told of once for all connections of a sink.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "diagnostics/reminder.hpp"
#include "diagnostics/result.hpp"

namespace cdcrt::apply {

/// Told when it begins and now and then while it lasts, however many connections meet it. Any thread.
class Outage {
 public:
  /// `who` could not reach the target. Answers a line for the log, when it is time for one.
  std::optional<std::string> fails(const void* who, const Error& error);
  /// `who` reached the target. True: the outage is over for all, to be logged.
  bool works(const void* who);
  /// Whether `who` waits for a lock that somebody else has.
  void locked(const void* who, bool is);
  /// Why, while it lasts; nullopt: nobody fails.
  [[nodiscard]] std::optional<std::string> reason() const;
  /// Everyone who fails waits for a lock: the target itself answers.
  [[nodiscard]] bool is_of_locks() const;

 private:
  mutable std::mutex mutex_;
  std::set<const void*> failing_, locked_;
  diagnostics::Reminder reminder_;
  std::string error_;  ///< the last one
};

}  // namespace cdcrt::apply
