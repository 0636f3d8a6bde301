// Dead letters in the target.
#include <deque>

#include "cdcrt/sdk/status.hpp"
#include "dead_letters/letter_row.hpp"
#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

// Pipeline, then what a letter has; its id is the key's second part. `replayed` comes last: a replay sets it.
std::vector<cdcrt_column> columns() {
  std::vector<cdcrt_column> all(1);
  all.front().name = sdk::borrow("pipeline");
  all.front().type.kind = CDCRT_TYPE_STRING;
  const auto& own = dead_letters::columns_of_letters();
  all.insert(all.end(), own.begin(), own.end());
  all[0].key_ordinal = 1;
  all[1].key_ordinal = 2;
  cdcrt_column& replayed = all.emplace_back();
  replayed.name = sdk::borrow("replayed");
  replayed.type.kind = CDCRT_TYPE_INT64;
  return all;
}

// Where only tables are locked (Amazon Redshift), a text holds 65,535 bytes and a row 4 MB, bytes counted as hex: a letter that does not
// fit must not keep its table from going on. The message can be read again by its position.
constexpr std::size_t kMostText = 32'000;
constexpr std::size_t kMostRaw = 1 << 20;

dead_letters::StoredLetter fit(dead_letters::StoredLetter letter) {
  const auto cut = [](std::string& text) {
    if (text.size() <= kMostText) return;
    std::size_t end = kMostText;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  };
  cut(letter.message);
  cut(letter.decoded_row);
  const bool long_headers = dead_letters::headers_to_json(letter).size() > kMostText;
  const std::size_t raw = letter.value.value_or("").size() + letter.key.value_or("").size();
  if (long_headers) letter.headers.clear();
  if (raw <= kMostRaw && !long_headers) return letter;
  letter.has_raw = false;
  letter.key.reset();
  letter.value.reset();
  letter.message += " (the message of " + std::to_string(raw) + " bytes was too long to be kept: read it at its offset)";
  return letter;
}

}  // namespace

Result<void> Store::prepare_letters(plugin::Connection& connection) {
  auto there = has_letters(connection);
  if (!there) return std::move(there.error());
  if (*there) return {};
  std::string storage;
  const auto all = columns();
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = all.data();
  change.column_count = static_cast<uint32_t>(all.size());
  return in_transaction(connection, [&] { return connection.change(name_of(kDeadLetters, storage), {change}); });
}

Result<bool> Store::has_letters(plugin::Connection& connection) {
  std::string storage;
  auto description = connection.describe(name_of(kDeadLetters, storage));
  if (!description) return std::move(description.error());
  return description->get().exists != 0;
}

std::string Store::letters_name() const { return schema_ + (has_schemas_ ? "." : "_") + kDeadLetters.name; }

Result<void> Store::save_letters(plugin::Connection& connection, const std::vector<dead_letters::StoredLetter>& letters) {
  auto listed = columns();
  listed.pop_back();  // those that are there already keep that they were replayed
  std::vector<cdcrt_cell> cells;
  std::deque<std::string> storage;
  std::deque<dead_letters::StoredLetter> fitted;
  for (const auto& letter : letters) {
    cells.push_back(text(pipeline_));
    dead_letters::append_cells(cells, locks_tables_ ? fitted.emplace_back(fit(letter)) : letter, storage);
  }
  std::string name;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_UPSERT;
  write.table = name_of(kDeadLetters, name);
  write.columns = listed.data();
  write.column_count = static_cast<uint32_t>(listed.size());
  write.has_unique_key = 1;
  write.cells = cells.data();
  write.row_count = letters.size();
  return connection.write(write);
}

Result<std::vector<dead_letters::StoredLetter>> Store::read_letters(plugin::Connection& connection) {
  struct Found {
    std::vector<dead_letters::StoredLetter> letters;
    Result<void> unreadable;
  } found;
  const auto all = columns();
  const cdcrt_cell pipeline = text(pipeline_);
  std::string name;
  cdcrt_read read{};
  read.size = sizeof read;
  read.table = name_of(kDeadLetters, name);
  read.columns = all.data();
  read.column_count = static_cast<uint32_t>(all.size());
  read.key_count = 1;
  read.keys = &pipeline;
  read.key_rows = 1;
  read.context = &found;
  read.visit = [](void* context, const cdcrt_cell* row) {
    auto& into = *static_cast<Found*>(context);
    auto letter = dead_letters::letter_from(row + 1);
    if (!letter) {
      into.unreadable = std::move(letter.error());
      return 1;
    }
    letter->replayed = integer_of(row[1 + dead_letters::columns_of_letters().size()]) != 0;
    into.letters.push_back(std::move(*letter));
    return 0;
  };
  if (auto done = connection.read(read); !done) return std::move(done.error());
  if (!found.unreadable) return std::move(found.unreadable.error());
  return std::move(found.letters);
}

Result<void> Store::mark_replayed(plugin::Connection& connection, const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  const auto all = columns();
  const std::vector<cdcrt_column> listed{all[0], all[1], all.back()};
  std::vector<cdcrt_cell> cells;
  for (const auto& id : ids) cells.insert(cells.end(), {text(pipeline_), text(id), integer(1)});
  std::string name;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_PATCH;
  write.table = name_of(kDeadLetters, name);
  write.columns = listed.data();
  write.column_count = static_cast<uint32_t>(listed.size());
  write.has_unique_key = 1;
  write.cells = cells.data();
  write.row_count = ids.size();
  return connection.write(write);
}

}  // namespace cdcrt::progress
