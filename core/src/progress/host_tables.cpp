#include "progress/host_tables.hpp"

#include <algorithm>
#include <charconv>

#include "cdcrt/sdk/status.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::string_view kStates[] = {"active", "paused", "skipped"};

}  // namespace

void table_row_into(const cdcrt_cell* cells, StoredTable& table) {
  table.source_table = string_of(cells[1]);
  table.floor = string_of(cells[2]);
  table.key_known = integer_of(cells[3]) != 0;
  table.version = integer_of(cells[4]);
  const auto* const state = std::find(std::begin(kStates), std::end(kStates), string_of(cells[5]));
  table.state = state == std::end(kStates) ? TableState::kActive : static_cast<TableState>(state - std::begin(kStates));
  table.reason = string_of(cells[6]);
  table.source_server = string_of(cells[7]);
  table.accepts_loss = integer_of(cells[8]) != 0;
  table.by_source = integer_of(cells[9]) == 1;
  table.remembers_keys = integer_of(cells[9]) == 2;
}

void open_letter_into(const cdcrt_cell* cells, Store::LettersByKey& letters) {
  letters[string_of(cells[1])].push_back({key_of(cells + 2), integer_of(cells[5])});
}

void sort_letters(Store::LettersByKey& letters) {
  for (auto& [key, all] : letters) std::sort(all.begin(), all.end());
}

Result<evolution::Column> column_of(const cdcrt_cell* cells, event::Arena& arena) {
  evolution::Column column;
  column.source_name = string_of(cells[2]);
  column.target_name = string_of(cells[3]);
  column.type = types::parse_type(string_of(cells[4])).value_or(cdcrt_type{});
  column.key_ordinal = static_cast<uint32_t>(integer_of(cells[5]));
  if (const std::string kept = string_of(cells[6]); !kept.empty()) {
    auto value = types::from_text(kept, arena);
    if (!value) return std::move(value.error());
    column.default_value = *value;
  }
  column.active = integer_of(cells[7]) != 0;
  column.incarnation = static_cast<uint32_t>(integer_of(cells[8]));
  column.last_seen = string_of(cells[9]);
  column.dropped_at = string_of(cells[10]);
  column.type_order = string_of(cells[11]);
  column.adopted = cells[12].tag > CDCRT_NULL && integer_of(cells[12]) != 0;
  return column;
}

StoredPartition lease_of(const cdcrt_cell* cells) {
  StoredPartition lease;
  lease.epoch = integer_of(cells[3]);
  lease.owner = string_of(cells[4]);
  lease.waits_for = waits_for_from(string_of(cells[5]));
  return lease;
}

void watermark_into(const cdcrt_cell* cells, StoredPartition& partition) {
  partition.next_offset = integer_of(cells[3]);
  partition.exact = cells[4].tag > CDCRT_NULL && integer_of(cells[4]) < 0;
  partition.last.offset = cells[4].tag <= CDCRT_NULL ? -1 : integer_of(cells[4]);
  partition.last.timestamp_ms = integer_of(cells[5]);
  partition.last.hash = static_cast<uint64_t>(integer_of(cells[6]));
}

std::string to_text(const WaitsFor& waits_for) {
  std::string text;
  for (const auto& [partition, offset] : waits_for) {
    text += (text.empty() ? "" : " ") + std::to_string(partition) + ":" + std::to_string(offset);
  }
  return text;
}

WaitsFor waits_for_from(const std::string& text) {
  WaitsFor waits_for;
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next < end) {
    int32_t partition = 0;
    int64_t offset = 0;
    next = std::from_chars(next, end, partition).ptr;
    if (next < end) next = std::from_chars(next + 1, end, offset).ptr;
    waits_for[partition] = offset;
    if (next < end) ++next;
  }
  return waits_for;
}

std::string_view to_text(TableState state) { return kStates[static_cast<std::size_t>(state)]; }

std::string_view state_text(const StoredTable& table, const StoredTrouble* trouble) {
  if (table.state != TableState::kActive || trouble == nullptr) return to_text(table.state);
  return trouble->stopped ? "stopped" : "detached";
}

std::string_view reason_text(const StoredTable& table, const StoredTrouble* trouble) {
  return table.state != TableState::kActive || trouble == nullptr ? std::string_view(table.reason) : std::string_view(trouble->reason);
}

namespace {
constexpr uint8_t kText = CDCRT_TYPE_STRING, kInteger = CDCRT_TYPE_INT64, kBytes = CDCRT_TYPE_BYTES;
}  // namespace

const Store::HostTable Store::kFormat{"format", 1, {{"component", kText}, {"format_version", kInteger}}};
const Store::HostTable Store::kLeases{"leases",
                                      5,
                                      {{"pipeline", kText},
                                       {"sink", kText},
                                       {"source", kText},
                                       {"topic", kText},
                                       {"partition", kInteger},
                                       {"epoch", kInteger},
                                       {"owner", kText},
                                       {"waits_for", kText, 2}}};
const Store::HostTable Store::kWatermarks{"watermarks",
                                          5,
                                          {{"pipeline", kText},
                                           {"sink", kText},
                                           {"source", kText},
                                           {"topic", kText},
                                           {"partition", kInteger},
                                           {"next_offset", kInteger},
                                           {"last_offset", kInteger, 2},
                                           {"last_timestamp_ms", kInteger, 2},
                                           {"last_hash", kInteger, 2}}};
const Store::HostTable Store::kProgress{"progress",
                                        6,
                                        {{"pipeline", kText},
                                         {"sink", kText},
                                         {"source", kText},
                                         {"topic", kText},
                                         {"partition", kInteger},
                                         {"target", kText},
                                         {"next_offset", kInteger},
                                         {"source_order", kBytes}}};
const Store::HostTable Store::kTables{"tables",
                                      3,
                                      {{"pipeline", kText},
                                       {"sink", kText},
                                       {"target", kText},
                                       {"source_table", kText},
                                       {"floor", kBytes},
                                       {"key_known", kInteger},
                                       {"version", kInteger, 2},
                                       {"state", kText, 2},
                                       {"reason", kText, 2},
                                       {"source_server", kText, 3},
                                       {"accepts_loss", kInteger, 3},
                                       {"row_orders", kInteger, 4}}};
const Store::HostTable Store::kColumns{"columns",
                                       4,
                                       {{"pipeline", kText},
                                        {"sink", kText},
                                        {"target", kText},
                                        {"slot", kInteger},
                                        {"source_name", kText},
                                        {"target_name", kText},
                                        {"type", kText},
                                        {"key_ordinal", kInteger},
                                        {"default_value", kText},
                                        {"active", kInteger},
                                        {"incarnation", kInteger},
                                        {"last_seen", kBytes},
                                        {"dropped_at", kBytes},
                                        {"type_order", kBytes},
                                        {"adopted", kInteger, 3}}};

const Store::HostTable Store::kMoved{"moved", 4, {{"pipeline", kText}, {"sink", kText}, {"target", kText}, {"new_key", kBytes}, {"record", kText}}};
// The key comes early: the letters of a batch's rows are found by it.
const Store::HostTable Store::kOpenLetters{"open_dead_letters",
                                           8,
                                           {{"pipeline", kText},
                                            {"sink", kText},
                                            {"target", kText},
                                            {"key", kBytes},
                                            {"source", kText},
                                            {"topic", kText},
                                            {"partition", kInteger},
                                            {"offset", kInteger}}};
const Store::HostTable Store::kFormerOpenLetters{  // of format versions 1 and 2
    "open_letters",
                                           8,
                                           {{"pipeline", kText},
                                            {"sink", kText},
                                            {"target", kText},
                                            {"source", kText},
                                            {"topic", kText},
                                            {"partition", kInteger},
                                            {"offset", kInteger},
                                            {"key", kBytes}}};

const Store::HostTable Store::kTroubles{"troubles",
                                        3,
                                        {{"pipeline", kText},
                                         {"sink", kText},
                                         {"target", kText},
                                         {"state", kText},
                                         {"reason", kText},
                                         {"since_ms", kInteger},
                                         {"process", kText}}};
const Store::HostTable Store::kReplayed{"replayed",
                                        7,
                                        {{"pipeline", kText},
                                         {"sink", kText},
                                         {"target", kText},
                                         {"source", kText},
                                         {"topic", kText},
                                         {"partition", kInteger},
                                         {"offset", kInteger}}};

const Store::HostTable Store::kRowOrders{"row_orders",
                                         4,
                                         {{"pipeline", kText},
                                          {"sink", kText},
                                          {"target", kText},
                                          {"key", kBytes},
                                          {"source_order", kBytes},
                                          {"flags", kInteger},
                                          {"server", kInteger},
                                          {"source_table", kInteger},
                                          {"partition", kInteger},
                                          {"parts", kBytes},
                                          {"refused", kBytes}},
                                         true};
const Store::HostTable Store::kTombstones{"tombstones", 4, {{"pipeline", kText}, {"sink", kText}, {"target", kText}, {"key", kBytes}, {"removed_ms", kInteger}}, true};


// Where only tables can be locked: what claims lock (it has no rows), which targets have a progress table, who holds or held leases.
const Store::HostTable Store::kClaims{"claims", 2, {{"pipeline", kText}, {"sink", kText}}};
const Store::HostTable Store::kHolds{"holds", 3, {{"pipeline", kText}, {"sink", kText}, {"target", kText}}};
const Store::HostTable Store::kProcesses{"processes", 3, {{"pipeline", kText}, {"sink", kText}, {"process", kText}}};

const std::vector<const Store::HostTable*> Store::kAlwaysKept = {&kFormat, &kLeases, &kWatermarks, &kProgress, &kTables, &kColumns, &kMoved, &kOpenLetters,
                                                                 &kTroubles, &kReplayed, &kRowOrders, &kTombstones};

std::vector<cdcrt_column> columns_of(const std::vector<HostColumn>& columns, uint32_t key_count, bool is_large) {
  std::vector<cdcrt_column> result(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    result[i].name = sdk::borrow(columns[i].name);
    result[i].type.kind = columns[i].kind;
    result[i].flags = is_large ? 0 : CDCRT_COLUMN_OF_HOST;
    if (i < key_count) result[i].key_ordinal = static_cast<uint32_t>(i + 1);
  }
  return result;
}

}  // namespace cdcrt::progress
