// Budget: how many dead letters a run may make before it stops.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "dead_letters/dead_letter.hpp"

namespace cdcrt::dead_letters {

/// Not thread-safe.
class Budget {
 public:
  static constexpr uint64_t kWindow = 10'000;  ///< messages that max_ratio looks at

  /// `max_ratio` 0: none.
  Budget(std::optional<uint64_t> max_count, double max_ratio) : max_count_(max_count), max_ratio_(max_ratio) {}
  void read(uint64_t messages);
  void add(const DeadLetter& dead_letter);
  /// Why the run has to stop; nullopt: it may go on.
  [[nodiscard]] std::optional<Error> exceeded() const;

 private:
  struct Reason {
    uint64_t count = 0;
    std::string first;  ///< position and message of the first one
  };
  [[nodiscard]] std::string reasons() const;

  const std::optional<uint64_t> max_count_;
  const double max_ratio_;
  uint64_t count_ = 0;
  std::map<std::string, Reason> by_reason_;
  std::deque<std::pair<uint64_t, uint64_t>> window_;  ///< messages and dead letters, oldest first
  uint64_t messages_in_window_ = 0, dead_letters_in_window_ = 0;
  std::string broken_;  ///< which bound, once it is
};

}  // namespace cdcrt::dead_letters
