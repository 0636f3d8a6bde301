#include "stages.hpp"

#include <algorithm>
#include <utility>

namespace cdcrt::redshift {

std::string Stages::find(const std::string& shape, uint64_t bytes) {
  constexpr uint64_t kMaxBatches = 16;
  constexpr uint64_t kMaxBytes = 64U << 20;
  if (const auto now = made_.find(shape); now != made_.end()) return now->second;
  const auto found = stages_.find(shape);
  if (found == stages_.end()) return {};
  Stage& stage = found->second;
  if (++stage.batches > kMaxBatches || (stage.bytes += bytes) > kMaxBytes) {
    retired_.push_back(std::move(stage.name));
    stages_.erase(found);
    return {};
  }
  stage.used = ++uses_;
  return stage.name;
}

void Stages::retire_oldest() {
  const auto oldest =
      std::min_element(stages_.begin(), stages_.end(), [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
  retired_.push_back(std::move(oldest->second.name));
  stages_.erase(oldest);
}

void Stages::ended(bool committed) {
  constexpr std::size_t kMaxStages = 32;
  if (committed) {
    retired_.erase(retired_.begin(), retired_.begin() + static_cast<std::ptrdiff_t>(dropping_));
    for (auto& [shape, name] : made_) stages_[shape] = {std::move(name), 1, 0, ++uses_};
    while (stages_.size() > kMaxStages) retire_oldest();
    retired_.insert(retired_.end(), retired_now_.begin(), retired_now_.end());
  }
  dropping_ = 0;
  made_.clear();
  retired_now_.clear();
}

const std::vector<std::string>& Stages::to_drop() {
  constexpr std::size_t kMaxRetired = 16;
  static const std::vector<std::string> kNone;
  if (dropping_ > 0 || retired_.size() < kMaxRetired) return kNone;
  dropping_ = retired_.size();
  return retired_;
}

}  // namespace cdcrt::redshift
