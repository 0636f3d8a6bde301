#include "progress/stored.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "evolution/column_names.hpp"

namespace cdcrt::progress {
namespace {

constexpr auto kStates = std::to_array<std::string_view>({"active", "paused", "skipped"});
constexpr std::string_view kCameEarly = "came_early", kDropped = "dropped";

void append_with_length(std::string& bytes, std::string_view text) { bytes += std::to_string(text.size()) + ":" + std::string(text); }

bool take_with_length(std::string_view& bytes, std::string& text) {
  std::size_t size = 0;
  const char* const colon = std::from_chars(bytes.data(), bytes.data() + bytes.size(), size).ptr;
  const auto begin = static_cast<std::size_t>(colon - bytes.data()) + 1;
  if (begin > bytes.size() || size > bytes.size() - begin) return false;
  text = bytes.substr(begin, size);
  bytes.remove_prefix(begin + size);
  return true;
}

}  // namespace

std::string names_to_bytes(const evolution::Column& column) {
  std::string bytes;
  for (const auto& former : column.former_names) {
    append_with_length(bytes, former.name);
    append_with_length(bytes, former.until);
  }
  // Programs that do not know it stop at a name without an order, and keep those before it.
  if (evolution::gave_up_its_name(column)) append_with_length(bytes, column.came_early ? kCameEarly : kDropped);
  return bytes;
}

bool names_into(std::string_view bytes, evolution::Column& column) {
  for (evolution::FormerName former; take_with_length(bytes, former.name);) {
    if (bytes.empty() && (former.name == kCameEarly || former.name == kDropped)) {
      column.came_early = former.name == kCameEarly;
      return true;
    }
    if (!take_with_length(bytes, former.until)) break;
    column.former_names.push_back(former);
  }
  return false;
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

TableState table_state_from(std::string_view text) {
  const auto* const state = std::find(kStates.begin(), kStates.end(), text);
  return state == kStates.end() ? TableState::kActive : static_cast<TableState>(state - kStates.begin());
}

std::string_view state_text(const StoredTable& table, const StoredTrouble* trouble) {
  if (table.state != TableState::kActive || trouble == nullptr) return to_text(table.state);
  return trouble->stopped ? "stopped" : "detached";
}

std::string_view reason_text(const StoredTable& table, const StoredTrouble* trouble) {
  return table.state != TableState::kActive || trouble == nullptr ? std::string_view(table.reason) : std::string_view(trouble->reason);
}

}  // namespace cdcrt::progress
