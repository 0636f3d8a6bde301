// RenamePlan: columns of the target get the names that they have now at the source.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "apply/write_set.hpp"
#include "diagnostics/result.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::apply {

/// Borrows from the batch, whose table's definition changes with it: as if the changes were made.
class RenamePlan {
 public:
  explicit RenamePlan(Sealed& sealed);

  /// There is something to do.
  [[nodiscard]] bool is_needed() const;
  /// BAD_CONFIG: the target has a column of that name which is nobody's here.
  Result<void> make();
  [[nodiscard]] const std::vector<cdcrt_change>& changes() const { return changes_; }

 private:
  [[nodiscard]] bool is_made(uint32_t slot) const;
  void merge(uint32_t slot);
  void retype(uint32_t slot, const std::string& name);
  void rename(uint32_t slot, const std::string& to);
  void drop(uint32_t slot);
  void add(cdcrt_change_kind kind, const cdcrt_column& column, cdcrt_type from = {});
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] std::string free_name() const;

  Sealed& sealed_;
  TargetDefinition& target_;
  std::deque<cdcrt_column> storage_;
  std::deque<std::string> names_;
  std::vector<cdcrt_change> changes_;
};

}  // namespace cdcrt::apply
