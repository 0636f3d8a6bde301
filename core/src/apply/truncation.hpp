// Truncation: the last truncate of a table, and whether the target has been emptied for it (guarantee 4.6).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "apply/sealed.hpp"
#include "progress/partition.hpp"

namespace cdcrt::apply {

/// The table's lock guards it.
class Truncation {
 public:
  /// Source order of the last truncate: rows up to it do not exist any more. Empty: there was none.
  [[nodiscard]] const std::string& floor() const { return floor_; }
  /// The table is to be emptied before what was folded since is written.
  [[nodiscard]] bool is_due() const { return clears_; }

  void restore(const std::string& floor) { floor_ = stored_floor_ = floor; }
  /// A truncate was read in partition `by`.
  void read(const progress::Partition& by, std::string floor) {
    clears_ = true;
    cleared_by_ = floor_by_ = &by;
    floor_ = std::move(floor);
  }
  /// The truncate is not in the target yet, was read in another partition, and `order` is after it.
  [[nodiscard]] bool takes_back(const progress::Partition& partition, std::string_view order) const {
    return floor_by_ != nullptr && floor_by_ != &partition && order > floor_;
  }
  /// The partition was given up. True: the truncate was read there, and was due.
  bool cancel(const progress::Partition& partition) {
    if (cleared_by_ != &partition) return false;
    clears_ = false;
    cleared_by_ = nullptr;
    return true;
  }
  /// The partition was given up: whoever reads its truncate next must not take it for done.
  void forget(const progress::Partition& partition) {
    if (floor_by_ != &partition) return;
    floor_ = stored_floor_;
    floor_by_ = nullptr;
  }
  /// The truncate is read again, with everything else.
  void forget() {
    clears_ = false;
    cleared_by_ = floor_by_ = nullptr;
    floor_ = stored_floor_;
  }

  void seal(Sealed& sealed) {
    sealed.clear = clears_;
    sealed.cleared_by = std::exchange(cleared_by_, nullptr);
    sealed.floor = floor_;
    clears_ = false;
  }
  /// The target was emptied for the truncate at `floor`. True: it is later than the last one that was known here.
  bool written(const std::string& floor) {
    written_in_part(floor);
    const bool is_later = floor > floor_;
    if (is_later) floor_ = floor;
    if (floor_ == stored_floor_) floor_by_ = nullptr;
    return is_later;
  }
  void written_in_part(const std::string& floor) { stored_floor_ = std::max(stored_floor_, floor); }
  /// Another process emptied the table. True: we had not read that truncate.
  bool take(const std::string& floor) {
    written_in_part(floor);
    if (floor <= floor_) return false;
    floor_ = floor;
    floor_by_ = nullptr;
    return true;
  }

 private:
  std::string floor_;
  std::string stored_floor_;                       ///< as it is in the target
  const progress::Partition* floor_by_ = nullptr;  ///< where the truncate of a floor that is not in the target yet was read
  bool clears_ = false;
  const progress::Partition* cleared_by_ = nullptr;
};

}  // namespace cdcrt::apply
