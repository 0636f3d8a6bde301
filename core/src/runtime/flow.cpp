#include "runtime/flow.hpp"

#include <algorithm>

namespace cdcrt::runtime {

Flow& Flows::find_or_add(std::size_t source_index, const std::string& source, const std::string& topic, int32_t number,
                         const progress::Partition::SeekRequest& seek, bool assigned) {
  const std::lock_guard lock(mutex_);
  if (const auto known = flows_.find({source_index, topic, number}); known != flows_.end()) return *known->second;
  auto made = std::make_unique<Flow>(source_index, source, topic, number, seek, assigned);
  made->topic = topics_.try_emplace({source_index, topic}, static_cast<uint32_t>(topics_.size())).first->second;
  Flow& flow = *made;
  const Place place{source_index, flow.partition.topic(), number};
  added_.emplace_back(place, &flow);
  flows_.emplace(place, std::move(made));
  return flow;
}

void Flows::push(Flow& flow, plugin::Messages messages) {
  monitor_.message_bytes += static_cast<int64_t>(messages.get().bytes);
  {
    const std::lock_guard lock(mutex_);
    flow.queue.push_back(std::move(messages));
    if (flow.busy || flow.listed) return;  // its worker, or whoever takes it, takes this one in its turn
    flow.listed = true;
    waiting_.push_back(&flow);
  }
  monitor_.batches.notify_one();
}

namespace {

// Nothing was sent back in between.
bool goes_on(const cdcrt_messages& first, const cdcrt_messages& next) {
  return first.generation == next.generation && first.count > 0 && next.count > 0 &&
         first.messages[first.count - 1].offset < next.messages[0].offset;
}

}  // namespace

Flow* Flows::take(std::vector<plugin::Messages>& batches, uint64_t most_bytes) {
  batches.clear();
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return nullptr;
  Flow* flow = waiting_.front();
  waiting_.pop_front();
  flow->listed = false;
  flow->busy = true;
  ++busy_;
  uint64_t bytes = 0;
  do {
    bytes += flow->queue.front().get().bytes;
    batches.push_back(std::move(flow->queue.front()));
    flow->queue.pop_front();
  } while (!flow->queue.empty() && bytes + flow->queue.front().get().bytes <= most_bytes &&
           goes_on(batches.back().get(), flow->queue.front().get()));
  return flow;
}

void Flows::done(Flow& flow, uint64_t bytes) {
  bool is_idle = false;
  {
    const std::lock_guard lock(mutex_);
    flow.busy = false;
    --busy_;
    last_done_ = std::chrono::steady_clock::now();
    if (!flow.queue.empty()) {
      flow.listed = true;  // for this worker, which looks for more
      waiting_.push_back(&flow);
    }
    is_idle = busy_ == 0 && waiting_.empty();
  }
  monitor_.message_bytes -= static_cast<int64_t>(bytes);
  monitor_.intake.notify_all();
  if (is_idle) monitor_.settled.notify_all();
}

bool Flows::idle() const {
  const std::lock_guard lock(mutex_);
  return busy_ == 0 && waiting_.empty();
}

std::chrono::steady_clock::time_point Flows::last_done() const {
  const std::lock_guard lock(mutex_);
  return last_done_;
}

std::vector<Flow*> Flows::all() const {
  const std::lock_guard lock(mutex_);
  if (!added_.empty()) {
    const auto is_before = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::sort(added_.begin(), added_.end(), is_before);
    const auto known = static_cast<std::ptrdiff_t>(sorted_.size());
    sorted_.insert(sorted_.end(), added_.begin(), added_.end());
    std::inplace_merge(sorted_.begin(), sorted_.begin() + known, sorted_.end(), is_before);
    added_.clear();
  }
  std::vector<Flow*> flows;
  flows.reserve(sorted_.size());
  for (const auto& [place, flow] : sorted_) flows.push_back(flow);
  return flows;
}

}  // namespace cdcrt::runtime
