// What an operator asks of tables: where they are read from, and whether they are applied at all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "repair/session.hpp"

namespace cdcrt::repair {

/// Where reading is to begin.
struct Place {
  enum class Kind : uint8_t { kEarliest, kTime, kOffset };
  Kind kind = Kind::kEarliest;
  int64_t value = 0;  ///< milliseconds since 1970, or an offset
};
/// "earliest", an RFC 3339 time, an offset. BAD_CONFIG for anything else.
Result<Place> parse_place(const std::string& text);

struct RewindRequest {
  std::string table, topic;  ///< one of them: a target table, or every table of a topic
  Place to;
  std::optional<int32_t> partition;
  std::string source;  ///< empty: any
  bool empty = false;  ///< the tables are emptied
};

struct Rewound {
  struct Step {
    std::string table;
    progress::PartitionKey partition;
    int64_t from = 0, to = 0;
  };
  std::vector<Step> steps;
  std::vector<progress::PartitionKey> partitions;  ///< the partitions, also those that no table has rows of
  std::vector<std::string> emptied, activated, notes;
};

/// In one transaction. BAD_CONFIG: the request cannot be carried out, and says why.
Result<Rewound> rewind(Session& session, Target& target, const RewindRequest& request);

struct StateRequest {
  std::string table;
  progress::TableState state = progress::TableState::kActive;
  std::string reason;
  bool from_now = false;  ///< active after skipped: what passed meanwhile is given up
};
/// Answers what the state was. BAD_CONFIG: the request cannot be carried out, and says why.
Result<progress::TableState> set_state(Target& target, const StateRequest& request);

/// BAD_CONFIG with what is near, when nothing of that name is kept in any target.
Result<std::vector<Target*>> targets_with_table(Session& session, const std::string& table);
Result<std::vector<Target*>> targets_with_topic(Session& session, const std::string& topic);

}  // namespace cdcrt::repair
