#include "intake_limit.hpp"

#include <algorithm>

namespace cdcrt::kafka_source {

uint64_t IntakeLimit::available(Time now) {
  if (!is_on()) return UINT64_MAX;
  const double max_tokens = std::max(1.0, per_second_ / 10);
  if (!is_started_) {
    is_started_ = true;
    tokens_ = 1;
  } else if (now > last_) {
    tokens_ = std::min(max_tokens, tokens_ + per_second_ * std::chrono::duration<double>(now - last_).count());
  }
  last_ = now;
  return tokens_ < 1 ? 0 : static_cast<uint64_t>(tokens_);
}

std::chrono::microseconds IntakeLimit::wait() const {
  if (!is_on() || tokens_ >= 1) return std::chrono::microseconds(0);
  return std::chrono::microseconds(static_cast<int64_t>((1 - tokens_) / per_second_ * 1e6) + 1);
}

}  // namespace cdcrt::kafka_source
