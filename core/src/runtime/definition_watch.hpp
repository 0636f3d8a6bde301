// DefinitionWatch: until when a table waits for definitions that may rename a column which its rows lack.
//
// Debezium tells in a topic of its own what was renamed, and topics are read side by side. A table of which no definition was met so far
// waits where a row would drop a column, until that topic is read up to where it ended some time after the row had come. If no definition
// of the table was among it, the column is gone at the source.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/ownership.hpp"

namespace cdcrt::runtime {

/// The coordinator's thread.
class DefinitionWatch {
 public:
  DefinitionWatch(Ownership& ownership, std::vector<std::unique_ptr<SourceRuntime>>& sources,
                  std::vector<std::unique_ptr<SinkRuntime>>& sinks)
      : ownership_(ownership), sources_(sources), sinks_(sinks) {}

  /// Looks at the tables that wait, about once a second. What cannot be asked now is asked the next time. `all_read`: the run reads nothing
  /// more, and others have applied what they read. Asks brokers and targets: a step ends at the first that does not answer, or once
  /// `stopping`.
  void step(bool all_read, const std::atomic<bool>& stopping);

 private:
  using Clock = std::chrono::steady_clock;
  using Ends = std::map<progress::PartitionKey, int64_t>;
  struct Wait {
    Clock::time_point since{}, next{};  ///< when it is looked at again
    std::optional<Ends> ends;
  };
  Result<bool> is_over(Wait& wait, const apply::Table::Awaited& awaited, SinkRuntime& sink);
  /// nullopt: no such topic is listed.
  Result<std::optional<Ends>> ends_of(SourceRuntime& source, const std::string& topic);
  static Result<std::optional<Ends>> ask_ends(SourceRuntime& source, const std::string& topic);

  Ownership& ownership_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  std::vector<std::unique_ptr<SinkRuntime>>& sinks_;
  std::map<apply::Table*, Wait> waits_;
  /// Of one step.
  struct Answers {
    std::map<std::pair<const SourceRuntime*, std::string>, std::optional<Ends>> ends;
    std::map<std::tuple<const SinkRuntime*, progress::PartitionKey, int64_t>, bool> read;
  } answers_;
  Clock::time_point next_step_{};
};

}  // namespace cdcrt::runtime
