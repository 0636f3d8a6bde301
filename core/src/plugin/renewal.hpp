// Renewal: an instance of a plugin whose settings hold secrets or files that may change while it runs.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "diagnostics/result.hpp"
#include "plugin/component.hpp"

namespace cdcrt::plugin {

/// Reads the manifest again when a server refuses what it said, at most every 10 s, and makes a new instance of other values. Any thread.
class Renewal {
 public:
  using Instance = std::shared_ptr<void>;
  using Create = std::function<Result<Instance>(const Component&)>;

  /// `component.renew` is set. `create` is called under a lock.
  Renewal(Component component, Instance first, Create create)
      : create_(std::move(create)), component_(std::move(component)), current_(std::move(first)) {}

  /// What was created last; does not wait for a renewal. Those before it live as long as somebody holds them.
  [[nodiscard]] Instance current() const;
  /// The instance of now: `refused` when nothing new is known, else one that was created since. When the manifest cannot be read again,
  /// `why` says so as well.
  Instance after_refusal(const Instance& refused, Error& why);
  /// Likewise, where what the settings hold is about to expire; an error where it has expired and there is nothing else.
  Result<Instance> renew_what_expires(const Instance& tried);

 private:
  Result<Instance> renew(const Instance& refused);

  const Create create_;
  /// Held as long as a renewal takes, which may wait for those who give secrets.
  std::mutex mutex_;
  /// Held for moments, where component_ and current_ are changed, or read outside of a renewal.
  mutable std::mutex known_mutex_;
  Component component_;
  Instance current_;
  std::chrono::steady_clock::time_point asked_{};
  std::optional<Error> failure_;  ///< of the last reading
};

}  // namespace cdcrt::plugin
