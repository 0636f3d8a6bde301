// ExpectedRows: the rows that tables must end in, in the form that tests/oracle/compare.py reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "output.hpp"

namespace cdcrt::bench {

struct ExpectedColumn {
  std::string name;
  std::string kind;  ///< as compare.py names it
};

/// A folder with SCHEMA.TABLE.csv and types.toml, which tells the kind of every column. Throws std::runtime_error where it cannot be
/// written.
class ExpectedRows {
 public:
  explicit ExpectedRows(const std::string& folder);

  /// A table with the key `id`. `write` is called with the file of its rows and writes them: lines of CSV, \N for NULL.
  template <class Write>
  void add_table(std::string_view table, const std::vector<ExpectedColumn>& columns, Write write) {
    Output rows(folder_ + "/shop." + std::string(table) + ".csv");
    rows.write(declare(table, columns));
    write(rows);
    rows.close();
  }
  void close() { types_.close(); }

 private:
  /// The first line of the table's rows.
  std::string declare(std::string_view table, const std::vector<ExpectedColumn>& columns);

  std::string folder_;
  Output types_;
};

/// All of `tables`, whose `name` is known; `write(rows, table)` writes one's rows. Nothing where `folder` is empty.
template <class Tables, class Write>
void write_expected_rows(const std::string& folder, const Tables& tables, const std::vector<ExpectedColumn>& columns, Write write) {
  if (folder.empty()) return;
  ExpectedRows expected(folder);
  for (const auto& table : tables) expected.add_table(table.name, columns, [&](Output& rows) { write(rows, table); });
  expected.close();
}

}  // namespace cdcrt::bench
