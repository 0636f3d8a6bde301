// FetchLanes: which client fetches which partition, and whose turn it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fetch_lane.hpp"
#include "wide_lanes.hpp"

namespace cdcrt::kafka_source {

/// Of very many clients each may wait with little in its queue and on its way, but for a few at a time (WideLanes). One thread.
class FetchLanes {
 public:
  using Clock = std::chrono::steady_clock;
  /// All of them outlive it.
  FetchLanes(const Settings& settings, const sdk::Host& host, Wakeup& wakeup) : settings_(settings), host_(host), wakeup_(wakeup) {}
  ~FetchLanes() { close(std::chrono::seconds(2)); }

  /// The lane of a partition that this process was given: that which knows its topic, one with room, or a new one.
  sdk::Status place(const std::string& topic, FetchLane*& to);
  [[nodiscard]] bool empty() const { return lanes_.empty(); }
  [[nodiscard]] std::size_t size() const { return lanes_.size(); }
  /// The next one in turn that has something; null: none has.
  [[nodiscard]] FetchLane* next();
  /// So many bytes were taken of the one that next() answered last.
  void taken(uint64_t bytes, Clock::time_point now);
  /// Lets the clients tell what went wrong since.
  void listen();
  /// One whose connection was refused; null: none was.
  [[nodiscard]] Client* refused() const;
  /// One that no broker answers any more; null: there is none.
  [[nodiscard]] FetchLane* silent() const;
  /// Destroys them, in the background where that takes longer than `timeout`.
  void close(std::chrono::milliseconds timeout);

 private:
  template <class Is>
  FetchLane* first(const Is& is) const;

  const Settings& settings_;
  const sdk::Host& host_;
  Wakeup& wakeup_;
  std::vector<std::unique_ptr<FetchLane>> lanes_;
  WideLanes wide_;
  std::size_t turn_ = 0;
};

}  // namespace cdcrt::kafka_source
