#include "apply/sealed.hpp"

#include <algorithm>

#include "apply/dead_letter_key.hpp"

namespace cdcrt::apply {

bool Sealed::needs_table() const {
  return clear || by_source || touches_dead_letters(*this) || std::any_of(partitions.begin(), partitions.end(), [](const auto& part) {
           return !part.fold.key_deletes.empty() || !part.fold.key_inserts.empty();
         });
}

std::size_t Sealed::rows() const {
  std::size_t rows = 0;
  for (const auto& part : partitions) rows += part.fold.entries().size();
  return rows;
}

EventCounts Sealed::counts() const {
  EventCounts counts;
  for (const auto& part : partitions) counts += part.fold.counts;
  return counts;
}

namespace {

// Also what was never ours: a truncate reaches every partition that the table knows.
bool lost(const SealedPartition& part) { return part.session != part.partition->session() || !part.partition->owned(); }

}  // namespace

bool Sealed::has_lost() const { return std::any_of(partitions.begin(), partitions.end(), lost); }

std::vector<const progress::Partition*> Sealed::drop_lost() {
  std::vector<const progress::Partition*> stranded;
  // Whoever reads the truncate now empties the table.
  const bool cancelled = clear && std::any_of(partitions.begin(), partitions.end(),
                                              [this](const auto& part) { return part.partition == cleared_by && lost(part); });
  if (cancelled) clear = false;
  std::erase_if(partitions, lost);
  if (cancelled) {
    for (const auto& part : partitions) stranded.push_back(part.partition);
  }
  return stranded;
}

bool takes_back_rows(const Sealed& sealed) {
  return std::any_of(sealed.partitions.begin(), sealed.partitions.end(), [](const auto& part) { return part.fold.takes_back_rows(); });
}

bool touches_dead_letters(const Sealed& sealed) {
  if (sealed.attempt.dead_letters_change) return true;
  const auto& open = sealed.attempt.open_dead_letters;
  for (const auto& part : sealed.partitions) {
    if (std::any_of(part.fold.refused.begin(), part.fold.refused.end(), [](const auto& refused) { return !refused.closed; })) return true;
    if (open.empty()) continue;
    for (const Entry& entry : part.fold.entries()) {
      if (open.contains(dead_letter_key(entry.key))) return true;
    }
  }
  return false;
}

}  // namespace cdcrt::apply
