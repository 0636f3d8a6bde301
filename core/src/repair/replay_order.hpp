// ReplayOrder: in which order the dead letters of a table are applied, and what one that could not be applied keeps back.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "repair/replay_candidate.hpp"

namespace cdcrt::repair {

class ReplayOrder {
 public:
  /// What is kept of the table, from now on; must outlive the rest.
  void know(const progress::StoredTable& stored);
  /// Dead letters of one row that came from several partitions are applied in source order, and only together.
  void put_in_order(std::vector<Candidate>& candidates);
  /// Only what waits for this dead letter stays in the candidate: another row of its message may have been made good since.
  void leave_open_rows(Candidate& candidate) const;

  /// Whether a dead letter of another partition was overtaken by the candidate's row, though it could not be applied itself.
  [[nodiscard]] bool is_overtaken(const progress::OpenDeadLetter& dead_letter, const Candidate& candidate) const;
  /// Keys of the rows that have this dead letter open, where it is recorded by key.
  [[nodiscard]] std::set<std::string> keys_made_good(const Candidate& candidate) const;

  /// It changes a part of a row of which an earlier one could not be applied; then it is refused.
  bool is_blocked(Candidate& candidate) const;
  /// It could not be applied.
  void block(const Candidate& candidate);
  /// It could. Where the row is changed as a whole, what was open of it before is made good.
  void unblock(const Candidate& candidate);
  using Blocked = std::map<std::string, std::size_t>;  ///< rows of which one stays open: the number of the last such one
  [[nodiscard]] const Blocked& blocked() const { return blocked_; }
  void restore(const Blocked& blocked) { blocked_ = blocked; }

 private:
  void put_in_source_order(std::vector<Candidate>& candidates);
  [[nodiscard]] std::set<std::string> open_keys(const ListedDeadLetter& listed) const;

  const progress::StoredTable* stored_ = nullptr;
  std::map<progress::OpenDeadLetter, std::set<std::string>> keys_of_;
  std::map<progress::OpenDeadLetter, std::string> orders_;  ///< of those whose row has some of several partitions
  Blocked blocked_;
};

}  // namespace cdcrt::repair
