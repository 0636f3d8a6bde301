#include "dead_letters/target_dead_letters.hpp"

#include <deque>

#include "cdcrt/sdk/status.hpp"
#include "dead_letters/dead_letter_row.hpp"
#include "types/cell_text.hpp"

namespace cdcrt::dead_letters {
namespace {

constexpr const char* kTable = "dead_letters";

cdcrt_cell string_cell(std::string_view value) { return types::text_cell(CDCRT_STRING, value); }

// Pipeline, then what a dead letter has; its id is the key's second part. `replayed` comes last: a replay sets it.
std::vector<cdcrt_column> columns() {
  std::vector<cdcrt_column> all(1);
  all.front().name = sdk::borrow("pipeline");
  all.front().type.kind = CDCRT_TYPE_STRING;
  const auto& own = dead_letter_columns();
  all.insert(all.end(), own.begin(), own.end());
  all[0].key_ordinal = 1;
  all[1].key_ordinal = 2;
  cdcrt_column& replayed = all.emplace_back();
  replayed.name = sdk::borrow("replayed");
  replayed.type.kind = CDCRT_TYPE_INT64;
  return all;
}

// A dead letter that does not fit must not keep its table from going on: the message can be read again by its position. Texts leave room
// for what grows on the way; bytes count as hex.
StoredDeadLetter fit(StoredDeadLetter dead_letter, const cdcrt_limits& limits) {
  const std::size_t max_text = limits.text_bytes == 0 ? SIZE_MAX : limits.text_bytes / 2;
  const std::size_t max_raw = limits.row_bytes == 0 ? SIZE_MAX : limits.row_bytes / 4;
  const auto cut = [&](std::string& text) {
    if (text.size() <= max_text) return;
    std::size_t end = max_text;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  };
  cut(dead_letter.message);
  cut(dead_letter.decoded_row);
  const bool long_headers = headers_to_json(dead_letter).size() > max_text;
  const std::size_t raw = dead_letter.value.value_or("").size() + dead_letter.key.value_or("").size();
  if (long_headers) dead_letter.headers.clear();
  if (raw <= max_raw && !long_headers) return dead_letter;
  dead_letter.has_raw = false;
  dead_letter.key.reset();
  dead_letter.value.reset();
  dead_letter.message += " (the message of " + std::to_string(raw) + " bytes was too long to be kept: read it at its offset)";
  return dead_letter;
}

}  // namespace

Result<void> TargetDeadLetters::prepare(plugin::Connection& connection) const {
  auto there = exist(connection);
  if (!there) return std::move(there.error());
  if (*there) return {};
  std::string storage;
  const auto all = columns();
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = all.data();
  change.column_count = static_cast<uint32_t>(all.size());
  return progress::in_transaction(connection, [&] { return connection.change(store_.own_table(kTable, storage), {change}); });
}

Result<bool> TargetDeadLetters::exist(plugin::Connection& connection) const {
  std::string storage;
  auto description = connection.describe(store_.own_table(kTable, storage));
  if (!description) return std::move(description.error());
  return description->get().exists != 0;
}

std::string TargetDeadLetters::place() const { return store_.own_name(kTable); }

Result<void> TargetDeadLetters::write_rows(plugin::Connection& connection, cdcrt_write_kind kind, const std::vector<cdcrt_column>& columns,
                                           const std::vector<cdcrt_cell>& cells) const {
  std::string name;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = kind;
  write.table = store_.own_table(kTable, name);
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.has_unique_key = 1;
  write.cells = cells.data();
  write.row_count = cells.size() / columns.size();
  return connection.write(write);
}

Result<void> TargetDeadLetters::save(plugin::Connection& connection, const std::vector<StoredDeadLetter>& dead_letters) const {
  auto listed = columns();
  listed.pop_back();  // those that are there already keep that they were replayed
  std::vector<cdcrt_cell> cells;
  std::deque<std::string> storage;
  std::deque<StoredDeadLetter> fitted;
  const cdcrt_limits& limits = store_.limits();
  const bool is_limited = limits.text_bytes != 0 || limits.row_bytes != 0;
  for (const auto& dead_letter : dead_letters) {
    cells.push_back(string_cell(store_.pipeline()));
    append_cells(cells, is_limited ? fitted.emplace_back(fit(dead_letter, limits)) : dead_letter, storage);
  }
  return write_rows(connection, CDCRT_WRITE_UPSERT, listed, cells);
}

Result<std::vector<StoredDeadLetter>> TargetDeadLetters::read(plugin::Connection& connection) const {
  struct Found {
    std::vector<StoredDeadLetter> dead_letters;
    Result<void> unreadable;
  } found;
  const auto all = columns();
  const cdcrt_cell pipeline = string_cell(store_.pipeline());
  std::string name;
  cdcrt_read read{};
  read.size = sizeof read;
  read.table = store_.own_table(kTable, name);
  read.columns = all.data();
  read.column_count = static_cast<uint32_t>(all.size());
  read.key_count = 1;
  read.keys = &pipeline;
  read.key_rows = 1;
  read.context = &found;
  read.visit = [](void* context, const cdcrt_cell* row) {
    auto& into = *static_cast<Found*>(context);
    auto dead_letter = dead_letter_from(row + 1);
    if (!dead_letter) {
      into.unreadable = std::move(dead_letter.error());
      return 1;
    }
    const cdcrt_cell& replayed = row[1 + dead_letter_columns().size()];
    dead_letter->replayed = replayed.tag > CDCRT_NULL && replayed.value.integer != 0;
    into.dead_letters.push_back(std::move(*dead_letter));
    return 0;
  };
  if (auto done = connection.read(read); !done) return std::move(done.error());
  if (!found.unreadable) return std::move(found.unreadable.error());
  return std::move(found.dead_letters);
}

Result<void> TargetDeadLetters::mark_replayed(plugin::Connection& connection, const std::vector<std::string>& ids) const {
  if (ids.empty()) return {};
  const auto all = columns();
  const std::vector<cdcrt_column> listed{all[0], all[1], all.back()};
  std::vector<cdcrt_cell> cells;
  for (const auto& id : ids)
    cells.insert(cells.end(), {string_cell(store_.pipeline()), string_cell(id), types::integer_cell(CDCRT_I64, 1)});
  return write_rows(connection, CDCRT_WRITE_PATCH, listed, cells);
}

}  // namespace cdcrt::dead_letters
