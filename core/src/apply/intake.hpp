// Intake: what rows that are not durable yet have brought, for those who watch: bytes of their messages, when they were committed, and
// whether a snapshot brought them.
#pragma once

#include <cstdint>

#include "apply/decoded.hpp"
#include "observe/table_facts.hpp"

namespace cdcrt::apply {

struct Intake {
  observe::ByOperation bytes{};
  /// Commit times at the source, of the log where the events have none; microseconds since 1970, 0: not known.
  int64_t oldest_us = 0, newest_us = 0;
  uint64_t loaded = 0, changes = 0;  ///< rows of a snapshot or load, and others; definitions are neither

  /// Nothing but rows of a snapshot.
  [[nodiscard]] bool is_load() const { return loaded > 0 && changes == 0; }

  void add(const Intake& more) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] += more.bytes[i];
    if (more.oldest_us != 0 && (oldest_us == 0 || more.oldest_us < oldest_us)) oldest_us = more.oldest_us;
    if (more.newest_us > newest_us) newest_us = more.newest_us;
    loaded += more.loaded;
    changes += more.changes;
  }
};

Intake intake_of(const Decoded& batch, const uint32_t* rows, std::size_t count);

}  // namespace cdcrt::apply
