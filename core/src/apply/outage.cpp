#include "apply/outage.hpp"

#include <algorithm>

namespace cdcrt::apply {

std::optional<std::string> Outage::fails(const void* who, const Error& error) {
  const std::lock_guard lock(mutex_);
  failing_.insert(who);
  error_ = explain(error);
  if (!reminder_.lasts()) return std::nullopt;
  const auto seconds = reminder_.duration().count();
  return "waiting for the target" + (seconds > 0 ? ", for " + std::to_string(seconds) + " s by now" : std::string()) + ": " +
         explain(error);
}

std::optional<std::string> Outage::reason() const {
  const std::lock_guard lock(mutex_);
  if (failing_.empty()) return std::nullopt;
  return "waiting for the target for " + std::to_string(reminder_.duration().count()) + " s: " + error_;
}

void Outage::locked(const void* who, bool is) {
  const std::lock_guard lock(mutex_);
  is ? (void)locked_.insert(who) : (void)locked_.erase(who);
}

bool Outage::is_of_locks() const {
  const std::lock_guard lock(mutex_);
  return !locked_.empty() && std::includes(locked_.begin(), locked_.end(), failing_.begin(), failing_.end());
}

bool Outage::works(const void* who) {
  const std::lock_guard lock(mutex_);
  if (failing_.erase(who) == 0 || !failing_.empty()) return false;
  return reminder_.ends();
}

}  // namespace cdcrt::apply
