#include "evolution/column_names.hpp"

#include "event/log_order.hpp"

namespace cdcrt::evolution {
namespace {

// No source has columns of such names.
constexpr std::string_view kSetAside = "renamed:";

}  // namespace

const std::string& next_name(const Column& column, std::size_t former) {
  return former + 1 < column.former_names.size() ? column.former_names[former + 1].name : column.source_name;
}

bool was_told(const Column& column, const std::string& former, const std::string& name) {
  for (std::size_t i = 0; i < column.former_names.size(); ++i) {
    if (column.former_names[i].name == former && next_name(column, i) == name) return true;
  }
  return false;
}

bool is_set_aside_name(std::string_view name) { return name.starts_with(kSetAside); }

std::string set_aside_name(const std::string& name, std::string_view until) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string made = std::string(kSetAside) + name + "@";
  for (const char c : until) {
    made += digits[static_cast<unsigned char>(c) >> 4];
    made += digits[static_cast<unsigned char>(c) & 15];
  }
  return made;
}

// It had been renamed as the other one, and gave up at once the name that it got by that; or it was met after it.
bool seems_early(const Column& column) {
  const auto& names = column.former_names;
  if (!gave_up_its_name(column) || names.empty()) return false;
  if (names.size() > 1 && names[names.size() - 1].until == names[names.size() - 2].until) return true;
  return column.added_at != kUnplaced && event::is_after(column.added_at, names.back().until);
}

bool is_set_aside(const Column& column) { return column.active && is_set_aside_name(column.source_name); }

bool gave_up_its_name(const Column& column) { return !column.active && is_set_aside_name(column.source_name); }

}  // namespace cdcrt::evolution
