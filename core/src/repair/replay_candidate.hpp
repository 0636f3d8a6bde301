// Candidate: a dead letter on its way into its table again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apply/rows_aside.hpp"
#include "repair/dead_letters.hpp"

namespace cdcrt::repair {

struct Candidate {
  const ListedDeadLetter* listed = nullptr;
  std::size_t number = 0;                          ///< in the order in which the table's dead letters are applied
  std::unique_ptr<progress::Partition> partition;  ///< of its own: the sealed batch borrows it
  std::unique_ptr<apply::RowsAside> aside;
  std::optional<apply::Sealed> sealed;  ///< nullopt: nothing is left to be applied
  std::string refusal;
};

inline progress::OpenDeadLetter position_of(const ListedDeadLetter& listed) {
  return {{listed.dead_letter.source, listed.dead_letter.topic, listed.dead_letter.partition}, listed.dead_letter.offset};
}
/// Source order of its change; empty: it has none.
std::string_view order_of(const Candidate& candidate);
/// Of the source; empty: it is not told.
std::string_view server_of(const Candidate& candidate);
/// Whether it changes only some columns, and so needs the row in the target.
bool changes_a_part(const Candidate& candidate);

}  // namespace cdcrt::repair
