// SchemaPlan: what is changed in the target so that a batch finds its table and its columns.
#pragma once

#include <cstdint>
#include <vector>

#include "apply/write_set.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Borrows from the batch.
class SchemaPlan {
 public:
  explicit SchemaPlan(const Sealed& sealed) { storage_.reserve(2 * sealed.columns().size() + 1); }

  /// The table is made.
  void create(const TargetColumns& columns, const plugin::Options& layout);
  /// The table becomes what the batch needs.
  void change(const Sealed& sealed, const TargetColumns& columns);
  [[nodiscard]] const std::vector<cdcrt_change>& changes() const { return changes_; }
  /// Changes that came from the source.
  [[nodiscard]] uint64_t source_changes() const { return source_changes_; }

 private:
  void add(cdcrt_change_kind kind, const cdcrt_column& column, cdcrt_type from = {});

  std::vector<cdcrt_column> storage_;  ///< stable: reserved before use
  std::vector<cdcrt_change> changes_;
  uint64_t source_changes_ = 0;
};

/// What the target's own table lacks is left out under "ignore" and refused under "fail".
Result<void> judge_lacking(const Sealed& sealed, const TargetColumns& columns, bool first_contact);
/// An adopted column of the batch is to grow.
bool any_has_to_grow(const Sealed& sealed);

}  // namespace cdcrt::apply
