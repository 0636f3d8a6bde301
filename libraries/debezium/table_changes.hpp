// Schema changes as Debezium tells them (tableChanges of its history), and what only the statement's text says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/json_tape.hpp"
#include "debezium/column.hpp"

namespace cdcrt::debezium {

/// The parts of "\"shop\".\"orders\"": database, schema where the source has them, table. Empty: no such text.
std::vector<std::string> split_table_id(std::string_view id);

/// A column of a table's definition (MySQL's types). `natural`: rows come without schema; then only what JSON shows as it is has a type: of
/// numbers that may be base64, and of dates that are numbers there, nothing in a row says so.
Column defined_column(const sdk::JsonTape& tape, uint32_t column, bool natural);

/// A MySQL statement, cut into words, names without their quotes, and single characters. Comments are left out, but for those that MySQL
/// runs.
class DdlStatement {
 public:
  explicit DdlStatement(std::string_view text);

  /// False: comments that MySQL runs stand in each other deeper than anybody writes them; nothing is known of such a statement.
  [[nodiscard]] bool is_readable() const { return is_readable_; }
  /// The table of TRUNCATE: its database, which may be empty, and its name.
  struct Name {
    std::string database, table;
  };
  [[nodiscard]] std::optional<Name> truncated() const;
  /// CREATE TABLE that fails where the table is there already, and so tells that the source has no row of an older one of its name.
  [[nodiscard]] bool makes_table() const;
  /// CREATE, ALTER, DROP of a view.
  [[nodiscard]] bool is_of_view() const;
  /// ALTER TABLE ... DROP, TRUNCATE or EXCHANGE PARTITION: rows go without an event.
  [[nodiscard]] bool drops_rows_of_partitions() const;

 private:
  struct Token {
    std::string text;
    bool is_quoted = false;
  };
  void read(std::string_view text, int depth = 0);
  [[nodiscard]] bool is(std::size_t place, std::string_view upper) const;
  std::vector<Token> tokens_;
  bool is_readable_ = true;
};

}  // namespace cdcrt::debezium
