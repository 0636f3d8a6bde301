#include "runtime/coordinator.hpp"

#include <algorithm>

#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(500);
constexpr auto kStep = std::chrono::milliseconds(250);
// What did not arrive is not told of.
constexpr auto kTellAll = std::chrono::minutes(5);

}  // namespace

Coordinator::~Coordinator() { stop(); }

void Coordinator::start() {
  thread_ = std::thread([this] { work(); });
}

void Coordinator::stop() {
  stopping_ = true;
  monitor_.notify();
  if (thread_.joinable()) thread_.join();
}

bool Coordinator::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  monitor_.notify();
  return false;
}

std::optional<Error> Coordinator::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool Coordinator::claim() {
  if (auto claimed = ownership_.step(); !claimed) return fail(std::move(claimed.error()));
  return true;
}

bool Coordinator::save() {
  return save([](std::size_t) { return true; });
}

bool Coordinator::save(const std::function<bool(std::size_t sink)>& is_due) {
  bool any = false;
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    if (!is_due(i)) continue;
    any = true;
    auto saved = sinks_[i]->save_watermarks();
    // An outage is the writers' to tell; a lost partition was dealt with.
    if (!saved && saved.error().code == CDCRT_FATAL) return fail(std::move(saved.error()));
  }
  if (any) tell_sources();
  return true;
}

void Coordinator::tell_sources() {
  const auto at = std::chrono::steady_clock::now();
  const bool tells_all = at >= tells_all_at_;
  if (tells_all) tells_all_at_ = at + kTellAll;
  for (Flow* flow : flows_.all()) {
    const auto& partition = flow->partition;
    if (!partition.owned()) continue;
    std::optional<int64_t> low;
    for (auto& sink : sinks_) {
      if (!sink->keeps_progress()) continue;
      const auto stored = sink->watermark(partition);
      if (!stored) {
        low.reset();
        break;
      }
      low = low ? std::min(*low, *stored) : *stored;
    }
    if (!low) continue;
    // A source that is told the same again and again may hand on all of it: thousands of offsets a second.
    const Told now{partition.session(), *low};
    Told& told = told_[flow];
    if (!tells_all && told == now) continue;
    told = now;
    sources_[flow->source_index]->commit(partition.topic(), partition.number(), *low);
  }
}

void Coordinator::work() {
  std::vector<std::chrono::steady_clock::time_point> last_saves(sinks_.size(), std::chrono::steady_clock::now());
  std::chrono::steady_clock::time_point last_look{};
  while (!stopping_ && !monitor_.abandon) {
    const uint64_t seen = monitor_.news.changes();
    if (!claim()) return;
    if (auto looked = logs_.step(); !looked) {
      fail(std::move(looked.error()));
      return;
    }
    definitions_.step(all_read_ && flows_.idle(), stopping_);
    const auto now = std::chrono::steady_clock::now();
    const bool ended = std::all_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->ended(); });
    if (!ended) all_read_ = false;
    if (ended && !all_read_ && now - last_look >= kLookInterval) {
      auto read = ownership_.others_are_read();
      if (read && *read) {
        if (auto looked = logs_.look_at_moved(); !looked) {
          fail(std::move(looked.error()));
          return;
        }
      }
      if (read) all_read_ = *read;
      // The log does not have any more what other processes were to read.
      if (!read && read.error().code == CDCRT_UNSUPPORTED) {
        fail(std::move(read.error()));
        return;
      }
      last_look = std::chrono::steady_clock::now();
      if (all_read_) monitor_.notify();
    }
    const auto is_due = [&](std::size_t sink) {
      if (now - last_saves[sink] < sinks_[sink]->save_interval()) return false;
      last_saves[sink] = now;
      return true;
    };
    if (!save(is_due)) return;
    memory_.step(monitor_.row_bytes + monitor_.message_bytes);
    if (!stopping_) monitor_.news.wait_beyond(seen, kStep);
  }
}

}  // namespace cdcrt::runtime
