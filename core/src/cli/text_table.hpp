// TextTable: columns of text for people.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace cdcrt::cli {

class TextTable {
 public:
  /// A heading that begins with '>' stands to the right, and so do its cells.
  explicit TextTable(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Nothing but the headings when there is no row.
  void print(std::ostream& out) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace cdcrt::cli
