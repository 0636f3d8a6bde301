// Names of columns: those that one had one after the other, and cdcrt's own for one whose name another column has.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "evolution/column.hpp"

namespace cdcrt::evolution {

/// The name that the column got after that one of its former names.
const std::string& next_name(const Column& column, std::size_t former);

/// It was renamed so already, by one definition or, as that is told several times, by another one.
bool was_told(const Column& column, const std::string& former, const std::string& name);

/// What a column is called while another one has its name: as of `until`, from where on it was not seen. No source has columns of such
/// names.
std::string set_aside_name(const std::string& name, std::string_view until);
bool is_set_aside_name(std::string_view name);
/// Rows showed another column of its name, and no definition said yet what became of it.
bool is_set_aside(const Column& column);
/// A definition said it: its name is another column's for good.
bool gave_up_its_name(const Column& column);
/// What its names tell of Column::came_early, where that was not kept.
bool seems_early(const Column& column);

}  // namespace cdcrt::evolution
