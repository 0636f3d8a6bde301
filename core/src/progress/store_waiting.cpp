// What waits for later events of a table: halves of key changes, dead letters by key (design 4.12); and why tables wait themselves.
#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::string_view kStopped = "stopped", kDetached = "detached";

}  // namespace

Result<void> Store::forget_waiting(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  std::map<std::string, std::optional<std::string>> halves;
  for (const auto& [key, record] : table.key_changes) halves[key] = std::nullopt;
  if (auto saved = save_key_changes(connection, target, halves); !saved) return saved;
  return save_open_letters(connection, target, table.open_letters, {});
}

Result<void> Store::save_open_letters(plugin::Connection& connection, const std::string& target, const LettersByKey& closed,
                                      const LettersByKey& opened) {
  for (const auto& [letters, kind] : {std::pair{&closed, CDCRT_WRITE_DELETE}, std::pair{&opened, CDCRT_WRITE_UPSERT}}) {
    std::vector<cdcrt_cell> cells;
    for (const auto& [key, positions] : *letters) {
      for (const OpenLetter& letter : positions) {
        cells.insert(cells.end(), {text(pipeline_), text(sink_), text(target)});
        append_key(cells, letter.partition);
        cells.insert(cells.end(), {integer(letter.offset), bytes(key)});
      }
    }
    if (auto written = write(connection, kOpenLetters, cells, kind); !written) return written;
  }
  return {};
}

Result<void> Store::read_troubles(plugin::Connection& connection, Stored& stored) {
  return read(connection, kTroubles, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    StoredTrouble& trouble = stored.troubles[string_of(cells[0])];
    trouble.stopped = string_of(cells[1]) == kStopped;
    trouble.reason = string_of(cells[2]);
    trouble.since_ms = integer_of(cells[3]);
    trouble.process = string_of(cells[4]);
  });
}

Result<void> Store::save_troubles(plugin::Connection& connection, const std::map<std::string, std::optional<StoredTrouble>>& troubles) {
  std::vector<cdcrt_cell> present, over;
  for (const auto& [target, trouble] : troubles) {
    if (trouble) {
      present.insert(present.end(), {text(pipeline_), text(sink_), text(target), text(trouble->stopped ? kStopped : kDetached), text(trouble->reason),
                                     integer(trouble->since_ms), text(owner_)});
    } else {
      over.insert(over.end(), {text(pipeline_), text(sink_), text(target)});
    }
  }
  return in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    if (auto written = write(connection, kTroubles, over, CDCRT_WRITE_DELETE); !written) return written;
    return write(connection, kTroubles, present);
  });
}

}  // namespace cdcrt::progress
