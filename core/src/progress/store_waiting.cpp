// What waits for later events of a table: halves of key changes, dead letters by key; and why tables wait themselves.
#include <deque>
#include <iterator>
#include <set>

#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::string_view kStopped = "stopped", kDetached = "detached";
// Not of tables: entries of the manifest.
constexpr std::string_view kMet = "met", kUnmet = "unmet";
constexpr std::size_t kKeysAtOnce = 2'000;

}  // namespace

Result<void> Store::forget_waiting(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  std::map<std::string, std::optional<std::string>> halves;
  for (const auto& [key, record] : table.key_changes) halves[key] = std::nullopt;
  if (auto saved = save_key_changes(connection, target, halves); !saved) return saved;
  if (auto forgotten = forget_row_orders(connection, target); !forgotten) return forgotten;
  return pass_open_letters(connection, target);
}

Result<void> Store::pass_open_letters(plugin::Connection& connection, const std::string& target) {
  auto open = read_open_dead_letters(connection, target, 0);
  if (!open) return std::move(open.error());
  for (const auto& [key, letters] : *open) {
    if (!key.empty()) continue;
    if (auto saved = save_replayed(connection, target, letters); !saved) return saved;
  }
  return forget_open_letters(connection, target);
}

Result<void> Store::save_open_dead_letters(plugin::Connection& connection, const std::string& target, const LettersByKey& closed,
                                      const LettersByKey& opened) {
  for (const auto& [letters, kind] : {std::pair{&closed, CDCRT_WRITE_DELETE}, std::pair{&opened, CDCRT_WRITE_UPSERT}}) {
    std::vector<cdcrt_cell> cells;
    for (const auto& [key, positions] : *letters) {
      for (const OpenDeadLetter& letter : positions) {
        cells.insert(cells.end(), {text(pipeline_), text(sink_), text(target), bytes(key)});
        append_key(cells, letter.partition);
        cells.push_back(integer(letter.offset));
      }
    }
    if (auto written = write(connection, kOpenLetters, cells, kind); !written) return written;
  }
  return {};
}

void Store::trouble_into(const cdcrt_cell* cells, Stored& stored) {
  const std::string state = string_of(cells[1]);
  if (state == kMet || state == kUnmet) {
    stored.matches[string_of(cells[0])] = {state == kMet, string_of(cells[2]), integer_of(cells[3])};
    return;
  }
  StoredTrouble& trouble = stored.troubles[string_of(cells[0])];
  trouble.stopped = state == kStopped;
  trouble.reason = string_of(cells[2]);
  trouble.since_ms = integer_of(cells[3]);
  trouble.process = string_of(cells[4]);
}

Result<void> Store::save_troubles(plugin::Connection& connection, const std::map<std::string, std::optional<StoredTrouble>>& troubles,
                                  const std::map<std::string, StoredMatch>& matches) {
  std::vector<cdcrt_cell> present, over;
  for (const auto& [entry, match] : matches) {
    present.insert(present.end(), {text(pipeline_), text(sink_), text(entry), text(match.met ? kMet : kUnmet), text(match.reason), integer(match.since_ms), text(owner_)});
  }
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

Result<Store::LettersByKey> Store::read_open_dead_letters(plugin::Connection& connection, const std::string& target, std::size_t max_letters) {
  LettersByKey letters;
  auto done = read(connection, kOpenLetters, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { open_letter_into(cells, letters); },
                   {text(target)}, 1, max_letters);
  if (!done) return std::move(done.error());
  sort_letters(letters);
  return letters;
}

Result<Store::LettersByKey> Store::find_open_letters(plugin::Connection& connection, const std::string& target, const std::set<std::string>& keys) {
  LettersByKey letters;
  const Visit take = [&](const cdcrt_cell* cells) {
    if (keys.contains(string_of(cells[1]))) open_letter_into(cells, letters);
  };
  // Where nothing is indexed, one look at all of the table's is the dearest that it can be.
  if (locks_tables_) {
    if (auto done = read(connection, kOpenLetters, CDCRT_LOCK_NONE, take, {text(target)}, 1); !done) return std::move(done.error());
  } else {
    std::vector<cdcrt_cell> wanted;
    for (auto key = keys.begin(); key != keys.end();) {
      wanted.insert(wanted.end(), {text(target), bytes(*key)});
      if (++key != keys.end() && wanted.size() < 2 * kKeysAtOnce) continue;
      if (auto done = read(connection, kOpenLetters, CDCRT_LOCK_NONE, take, wanted, 2); !done) return std::move(done.error());
      wanted.clear();
    }
  }
  sort_letters(letters);
  return letters;
}

Result<void> Store::forget_columns(plugin::Connection& connection, const std::string& target) { return forget_of(connection, kColumns, target); }

Result<void> Store::forget_open_letters(plugin::Connection& connection, const std::string& target) {
  return forget_of(connection, kOpenLetters, target);
}

Result<void> Store::save_replayed(plugin::Connection& connection, const std::string& target, const std::vector<OpenDeadLetter>& letters) {
  std::vector<cdcrt_cell> cells;
  for (const OpenDeadLetter& letter : letters) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_), text(target)});
    append_key(cells, letter.partition);
    cells.push_back(integer(letter.offset));
  }
  return write(connection, kReplayed, cells);
}

Result<std::set<OpenDeadLetter>> Store::read_replayed(plugin::Connection& connection, const std::string& target) {
  std::set<OpenDeadLetter> letters;
  auto done = read(connection, kReplayed, CDCRT_LOCK_NONE,
                   [&](const cdcrt_cell* cells) { letters.insert({key_of(cells + 1), integer_of(cells[4])}); }, {text(target)}, 1);
  if (!done) return std::move(done.error());
  return letters;
}

// Every row of the target.
Result<void> Store::forget_of(plugin::Connection& connection, const HostTable& table, const std::string& target) {
  const std::vector<cdcrt_cell> key{text(pipeline_), text(sink_), text(target)};
  auto columns = columns_of(table.columns, table.key_count);
  columns.resize(key.size());
  std::string storage;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_DELETE;
  write.table = name_of(table, storage);
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.cells = key.data();
  write.row_count = 1;
  write.is_direct = 1;
  return connection.write(write);
}

// Up to format version 2 they were kept by position.
Result<void> Store::bring_letters_forward(plugin::Connection& connection) {
  std::string storage;
  auto former = connection.describe(name_of(kFormerOpenLetters, storage));
  if (!former) return std::move(former.error());
  if (former->get().exists == 0) return {};
  const auto columns = columns_of(kFormerOpenLetters.columns, kFormerOpenLetters.key_count);
  std::deque<std::string> texts;
  std::vector<cdcrt_cell> kept, gone;
  struct Context {
    std::deque<std::string>* texts;
    std::vector<cdcrt_cell>*kept, *gone;
  } context{&texts, &kept, &gone};
  cdcrt_read read{};
  read.size = sizeof read;
  read.table = name_of(kFormerOpenLetters, storage);
  read.columns = columns.data();
  read.column_count = static_cast<uint32_t>(columns.size());
  read.visit = [](void* self, const cdcrt_cell* cells) {
    auto& into = *static_cast<Context*>(self);
    const auto own = [&](const cdcrt_cell& cell) { return std::string_view(into.texts->emplace_back(string_of(cell))); };
    const cdcrt_cell row[] = {text(own(cells[0])), text(own(cells[1])), text(own(cells[2])), text(own(cells[3])),
                              text(own(cells[4])), integer(integer_of(cells[5])), integer(integer_of(cells[6])), bytes(own(cells[7]))};
    into.gone->insert(into.gone->end(), std::begin(row), std::end(row));
    into.kept->insert(into.kept->end(), {row[0], row[1], row[2], row[7], row[3], row[4], row[5], row[6]});
    return 0;
  };
  read.context = &context;
  if (auto done = connection.read(read); !done) return done;
  if (auto written = write(connection, kOpenLetters, kept); !written) return written;
  return write(connection, kFormerOpenLetters, gone, CDCRT_WRITE_DELETE);
}

}  // namespace cdcrt::progress
