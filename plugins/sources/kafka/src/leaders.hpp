// Leaders: lists of partitions that can be answered, also while one of the brokers is away from this process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/source.h"

namespace cdcrt::kafka_source {

/// An answer of librdkafka to a list is that of all brokers that lead one of it, or none. As long as all answer nobody asks who leads what;
/// while one does not there is a list for each leader, and none for those that were just waited for in vain. Any thread, several at once.
class Leaders {
 public:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::string, int32_t>;  ///< topic, partition
  using Map = std::map<Key, int32_t>;           ///< the brokers' numbers
  using Indices = std::vector<std::size_t>;
  /// Asks for these of the places; answers librdkafka's code. nullopt: it does not ask, and wants to ask for nothing more.
  using Ask = std::function<std::optional<int>(const Indices&)>;
  /// False: nobody tells.
  using Learn = std::function<bool(Map&)>;
  static constexpr auto kAway = std::chrono::seconds(10), kMostAway = std::chrono::seconds(60);  ///< not asked again for so long
  static constexpr auto kLeads = std::chrono::seconds(30);                                       ///< who leads what is asked again then

  /// `learn` is called while others wait for this.
  explicit Leaders(Learn learn) : learn_(std::move(learn)) {}

  /// Asks for all of them, `at_once` together at most. An error of one partition is that of its list: the others are asked for again
  /// without it, by halves. Whom nobody answers for is left out.
  void ask(const std::vector<cdcrt_place>& places, std::size_t at_once, const Ask& ask, Clock::time_point now = Clock::now());
  /// A broker has answered for it, asked for it alone.
  void answered(std::string_view topic, int32_t partition);

 private:
  struct Away {
    Clock::time_point until;
    Clock::duration distance{};
  };
  struct List {
    int32_t leader;
    Indices wanted;
  };
  [[nodiscard]] bool is_silent(Clock::time_point now) const;
  [[nodiscard]] bool knows_all() const;
  bool ask_each_leader(const std::vector<cdcrt_place>& places, const Indices& wanted, const Ask& ask, Clock::time_point now);
  bool learn(Clock::time_point now);
  [[nodiscard]] std::vector<List> lists_of(const std::vector<cdcrt_place>& places, const Indices& wanted, Clock::time_point now) const;
  void told(int32_t leader, bool is_away, Clock::time_point now);

  const Learn learn_;
  mutable std::mutex mutex_;
  Map leaders_;                     ///< while somebody is away
  std::map<int32_t, Away> away_;    ///< by leader
  Clock::time_point learned_at_{};  ///< of leaders_
  Clock::time_point silent_until_{};
};

}  // namespace cdcrt::kafka_source
