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
  /// `who` could not reach the target; answers what is to be said, if it is time for that.
  std::optional<std::string> fails(const void* who, const Error& error);
  /// `who` reached it. True: nobody fails any more, and that is to be said.
  bool works(const void* who);
  /// `who` waits for a lock of somebody else's, or does so no more.
  void locked(const void* who, bool is);
  /// Whoever fails waits for a lock.
  [[nodiscard]] bool is_of_locks() const;

 private:
  mutable std::mutex mutex_;
  std::set<const void*> failing_, locked_;
  diagnostics::Reminder reminder_;
};

}  // namespace cdcrt::apply
