#include "cli/text_table.hpp"

#include <algorithm>
#include <ostream>

#include "diagnostics/text.hpp"

namespace cdcrt::cli {

void TextTable::print(std::ostream& out) const {
  std::vector<std::vector<std::string>> lines{headings_};
  std::vector<bool> right;
  for (std::string& heading : lines.front()) {
    right.push_back(heading.starts_with('>'));
    if (right.back()) heading.erase(0, 1);
  }
  for (const auto& row : rows_) {
    auto& line = lines.emplace_back();
    for (const auto& cell : row) line.push_back(diagnostics::printable(cell));
    line.resize(headings_.size());
  }
  std::vector<std::size_t> widths(headings_.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], diagnostics::count_characters(line[i]));
  }
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - diagnostics::count_characters(line[i]), ' ');
      text += (i > 0 ? "  " : "") + (right[i] ? space + line[i] : line[i] + space);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  }
}

}  // namespace cdcrt::cli
