#include "repair/replay_candidate.hpp"

#include <algorithm>

namespace cdcrt::repair {

std::string_view order_of(const Candidate& candidate) {
  return candidate.sealed && !candidate.sealed->partitions.empty() ? std::string_view(candidate.sealed->partitions.front().order)
                                                                   : std::string_view();
}

std::string_view server_of(const Candidate& candidate) {
  return candidate.sealed && !candidate.sealed->sources().empty() ? std::string_view(candidate.sealed->sources().front().server)
                                                                  : std::string_view();
}

bool changes_a_part(const Candidate& candidate) {
  if (!candidate.sealed) return false;
  for (const auto& part : candidate.sealed->partitions) {
    const auto& entries = part.fold.entries();
    if (std::any_of(entries.begin(), entries.end(), [](const apply::Entry& entry) { return entry.effect == apply::Effect::kPatch; }))
      return true;
  }
  return false;
}

}  // namespace cdcrt::repair
