// ReplayDecoder: what the message of a dead letter means for its table now, by the routes and formats of today.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "apply/table.hpp"
#include "event/row_batch.hpp"
#include "plugin/instance.hpp"
#include "repair/replay_candidate.hpp"
#include "route/router.hpp"

namespace cdcrt::repair {

/// Of one table of a target.
class ReplayDecoder {
 public:
  /// `router`: of this target and of the replay, which all its tables share; it must outlive this.
  ReplayDecoder(const manifest::Manifest& manifest, route::Router& router, const Target& target, std::string table)
      : manifest_(manifest), router_(router), target_(target), name_(std::move(table)) {}
  /// Sets what the target keeps of the table; it must outlive the calls that follow.
  void know(const progress::StoredTable& stored) { stored_ = &stored; }
  /// Seals the candidate, or says in it why it cannot be applied.
  Result<void> decode(Candidate& candidate);
  /// Stands for the table's place in the target; nullptr: no message had a row of it so far.
  [[nodiscard]] apply::Table* table() const { return base_.get(); }

 private:
  Result<void> fold(Candidate& candidate, const cdcrt_messages& message, const event::RowBatch& rows);

  const manifest::Manifest& manifest_;
  route::Router& router_;
  const Target& target_;
  const std::string name_;
  const progress::StoredTable* stored_ = nullptr;
  event::ShapeRegistry shapes_;
  std::map<std::string, std::unique_ptr<plugin::Format>> formats_;
  uint64_t shape_generation_ = 0;  ///< that the formats know
  std::unique_ptr<apply::Table> base_;
};

}  // namespace cdcrt::repair
