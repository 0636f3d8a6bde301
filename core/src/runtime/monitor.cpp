#include "runtime/monitor.hpp"

#include <algorithm>

namespace cdcrt::runtime {

Condition::Condition(Monitor& monitor) : monitor_(monitor) {
  const std::lock_guard lock(monitor_.mutex_);
  monitor_.conditions_.push_back(this);
}

Condition::~Condition() {
  const std::lock_guard lock(monitor_.mutex_);
  std::erase(monitor_.conditions_, this);
}

// Either the waiter sees the change before it sleeps, or it is counted among the waiters here: both counters are sequentially consistent.
void Condition::tell(bool all) {
  ++monitor_.changes_;
  ++changes_;
  if (waiters_ == 0) return;
  { const std::lock_guard lock(mutex_); }
  all ? changed_.notify_all() : changed_.notify_one();
}

void Condition::wait_beyond(uint64_t seen, Clock::duration step) {
  std::unique_lock lock(mutex_);
  ++waiters_;
  if (changes_ == seen) {
    changed_.wait_for(lock, step, [&] { return changes_ != seen; });
    ++wakeups_;
  }
  --waiters_;
}

void Monitor::notify() {
  const std::lock_guard lock(mutex_);
  for (Condition* condition : conditions_) condition->notify_all();
}

}  // namespace cdcrt::runtime
