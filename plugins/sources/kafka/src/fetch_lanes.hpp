// FetchLanes: which client fetches which partition, and whose turn it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fetch_lane.hpp"

namespace cdcrt::kafka_source {

/// Of very many clients each may wait with little in its queue and on its way. Answers of little are dear: each names all partitions. So
/// a few of those that have a backlog may ask for much at a time, in turns. One thread.
class FetchLanes {
 public:
  using Clock = std::chrono::steady_clock;
  /// All of them outlive it.
  FetchLanes(const Settings& settings, const sdk::Host& host, Wakeup& wakeup) : settings_(settings), host_(host), wakeup_(wakeup) {}
  ~FetchLanes() { close(std::chrono::seconds(2)); }

  /// The lane of a partition that this process was given: that of its topic, one with room, or a new one.
  sdk::Status place(const std::string& topic, FetchLane*& to);
  [[nodiscard]] bool empty() const { return lanes_.empty(); }
  [[nodiscard]] std::size_t size() const { return lanes_.size(); }
  /// The next one in turn that has something; null: none has.
  [[nodiscard]] FetchLane* next();
  /// So many bytes were taken of it, one call of next() after the other.
  void taken(FetchLane& lane, uint64_t bytes, Clock::time_point now);
  /// Lets the clients tell what went wrong since.
  void listen();
  /// One whose connection was refused; null: none was.
  [[nodiscard]] Client* refused() const;
  /// Destroys them, in the background where that takes longer than `timeout`.
  void close(std::chrono::milliseconds timeout);

 private:
  struct Wide {
    FetchLane* lane;
    uint64_t bytes;  ///< since it is
    Clock::time_point last;
  };

  const Settings& settings_;
  const sdk::Host& host_;
  Wakeup& wakeup_;
  std::vector<std::unique_ptr<FetchLane>> lanes_;
  std::vector<Wide> wide_;
  std::size_t turn_ = 0;
};

}  // namespace cdcrt::kafka_source
