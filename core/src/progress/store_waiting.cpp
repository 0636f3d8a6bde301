// What waits for later events of a table: halves of key changes, dead letters by key (design 4.12).
#include "progress/host_tables.hpp"

namespace cdcrt::progress {

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

}  // namespace cdcrt::progress
