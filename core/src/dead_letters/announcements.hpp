// Announcements: what is said of dead letters while they come: the first of each table and reason, then how many.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "dead_letters/dead_letter.hpp"

namespace cdcrt::dead_letters {

/// Not thread-safe.
class Announcements {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kInterval{60};  ///< between two lines about one table and reason
  static constexpr unsigned kMaxLines = 50;             ///< in such an interval, of all tables

  /// The line to be logged; nullopt: the dead letter is only counted.
  std::optional<std::string> add(const DeadLetter& dead_letter, Clock::time_point now);

 private:
  struct Told {
    Clock::time_point at{};
    uint64_t since = 0;  ///< dead letters that were only counted
    bool ever = false;
  };
  std::map<std::tuple<std::string, std::string, std::string>, Told> told_;  ///< by sink, table, reason
  Clock::time_point interval_{};
  unsigned lines_ = 0;
};

}  // namespace cdcrt::dead_letters
