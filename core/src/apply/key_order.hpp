// KeyOrder: which partition the rows of a key come from, so that a key met in two partitions is never decided by who is read last
// (design 4.5, decision 0016).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "progress/stored.hpp"

namespace cdcrt::apply {

/// Remembers the first kRemembered keys of a table. Of those it knows the order of the last change, so that a change that another
/// partition brings is placed exactly; beyond them it tells that it does not know all. Not thread-safe: the table's lock guards it.
class KeyOrder {
 public:
  static constexpr std::size_t kRemembered = 128;

  enum class Verdict {
    kTake,    ///< it goes on where the key was
    kMoves,   ///< it is newer than all that another partition brought: what is folded of the key there belongs before it
    kOlder,   ///< a later change of another partition stands for the row as a whole
    kRefuse,  ///< which one is newer is not known, see why()
  };
  struct Change {
    uint32_t place;          ///< from place()
    std::string_view order;  ///< empty: none
    bool whole = false;      ///< it is the row as it is then, or its end
    bool removes = false;
  };

  /// A number for a partition and the source's table in it.
  uint32_t place(const progress::PartitionKey& partition, const std::string& source_table);
  /// Places a change of `key` (canonical bytes) and remembers it unless it is older or refused.
  Verdict judge(std::string_view key, const Change& change);
  [[nodiscard]] const std::string& why() const { return why_; }
  /// The partition that the last kMoves took the key from is read by another process.
  [[nodiscard]] bool took_from(const progress::PartitionKey& partition) const { return places_[taken_from_].partition == partition; }

  /// Some keys of the table are not remembered: a key that is not found may have been anywhere.
  [[nodiscard]] bool is_incomplete() const { return incomplete_; }
  /// Keys wander among partitions and not all are remembered: the table must stop, now and after every restart.
  void give_up(const std::string& reason);
  [[nodiscard]] const std::string& given_up() const { return given_up_; }

  /// As stored beside the progress; raised version: it differs.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] uint64_t version() const { return version_; }
  /// `progress`: bounds what the partitions have brought. Keys of a partition that was sent back are forgotten.
  void restore(std::string_view text, const std::map<progress::PartitionKey, progress::StoredTable::Position>& progress);

  /// A key that another process met in another partition.
  struct Conflict {
    uint64_t hash = 0;
    progress::PartitionKey partition;  ///< ours
    Verdict verdict = Verdict::kTake;  ///< on what is not written yet of ours: kTake, kOlder or kRefuse
  };
  /// Takes over what another process stored, unless ours is newer.
  std::vector<Conflict> merge(const KeyOrder& stored);

  static uint64_t hash_of(std::string_view key);

 private:
  struct Place {
    progress::PartitionKey partition;
    std::string source_table;
  };
  struct Known {
    uint32_t place = 0;
    bool removed = false;
    std::string since;  ///< order of the first change that `place` brought
    std::string whole;  ///< of the last one that was a whole row or a delete
    std::string last;
  };
  Verdict refuse(const Known& known, const Change& change, const std::string& because);

  std::vector<Place> places_;
  std::unordered_map<uint64_t, Known> keys_;
  std::string why_, given_up_;
  uint32_t taken_from_ = 0;
  bool incomplete_ = false;
  uint64_t version_ = 0;
};

}  // namespace cdcrt::apply
