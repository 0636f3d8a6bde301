// Dead letters in a topic of Kafka, read back.
#pragma once

#include <vector>

#include "dead_letters/dead_letter.hpp"
#include "diagnostics/result.hpp"
#include "manifest/manifest.hpp"

namespace cdcrt::repair {

/// Appends every dead letter of the topic, as far as it goes now; messages that are no dead letters are left out. UNREACHABLE, AUTH and the
/// like are the source's.
Result<void> read_topic(const plugin::Component& log, std::vector<dead_letters::StoredDeadLetter>& dead_letters);

}  // namespace cdcrt::repair
