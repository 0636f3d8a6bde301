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
  /// Sets what the target keeps of the table; it must outlive the calls that follow.
  void know(const progress::StoredTable& stored);
  /// Dead letters of one row that came from several partitions are applied in source order, and only together.
  void put_in_order(std::vector<Candidate>& candidates);
  /// Leaves in the candidate only rows for which this dead letter is open: others of its message may have been replaced since.
  void leave_open_rows(Candidate& candidate) const;

  /// Whether a dead letter of another partition was overtaken by the candidate's row, though it could not be applied itself.
  [[nodiscard]] bool is_overtaken(const progress::OpenDeadLetter& dead_letter, const Candidate& candidate) const;
  /// Keys of the rows for which the dead letter is open, where it is recorded by key: applying it closes it for them.
  [[nodiscard]] std::set<std::string> keys_made_good(const Candidate& candidate) const;

  /// True, and candidate.refusal says why: it changes a part of a row of which an earlier dead letter could not be applied.
  bool is_blocked(Candidate& candidate) const;
  /// Notes that the candidate could not be applied.
  void block(const Candidate& candidate);
  /// Notes that it was applied. Where it set the whole row, earlier dead letters of that row do not block later ones any more.
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
