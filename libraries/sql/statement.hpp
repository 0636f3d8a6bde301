// Statements in the making: what the builders of all dialects do alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::sql {

/// A column inside a statement. All texts are ready to be pasted.
struct StatementColumn {
  std::string name;         ///< quoted
  std::string target_type;  ///< type without length, for casts (postgresql); unused elsewhere
  bool key = false;
  bool is_array = false;         ///< the target column is an array itself
  bool decimal = false;          ///< sqlite keeps decimals as text: 1.50 and 1.5 are compared without their last zeros
  bool compare_as_text = false;  ///< its type has no equality (json, xml, point)
  bool inexact = false;      ///< a key whose own equality knows fewer values than there are (citext, NOCASE): its characters count as well
  std::string sent_as = {};  ///< postgresql: type of the values on their way, where it is not target_type
};

/// One table and the columns of one write.
struct StatementShape {
  std::string table;           ///< quoted, with its schema
  std::string row_identifier;  ///< sqlite: a name of the rowid that no column hides
  std::vector<StatementColumn> columns;
  bool has_unique_key = false;
  uint32_t rows = 1;                ///< sqlite: rows that one statement inserts, or deletes by a single key column
  bool overrides_identity = false;  ///< postgresql: a column GENERATED ALWAYS AS IDENTITY takes the values given
};

/// `parameters[i]`: the shape's column that parameter marker i takes; where the shape has several rows, row * columns + column.
struct Statement {
  std::string text;
  std::vector<uint32_t> parameters;
};

/// Which columns of a shape are meant; any type with a member `key`.
inline constexpr auto kAllColumns = [](const auto&) { return true; };
inline constexpr auto kKeyColumns = [](const auto& column) { return column.key; };
inline constexpr auto kOtherColumns = [](const auto& column) { return !column.key; };

/// Calls `append(column, index)` for each of the columns chosen, and `separate()` between two.
template <class Columns, class Chosen, class Separate, class Append>
void for_each_column(const Columns& columns, Chosen&& chosen, Separate&& separate, Append&& append) {
  bool first = true;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!chosen(columns[i])) continue;
    if (!first) separate();
    first = false;
    append(columns[i], i);
  }
}

/// `text(column)` of each of the columns chosen, joined.
template <class Columns, class Chosen, class Text>
std::string joined(const Columns& columns, std::string_view join, Chosen&& chosen, Text&& text) {
  std::string out;
  for_each_column(
      columns, chosen, [&] { out += join; }, [&](const auto& column, std::size_t) { out += text(column); });
  return out;
}

template <class Columns>
std::string joined_names(const Columns& columns) {
  return joined(columns, ", ", kAllColumns, [](const auto& column) -> const std::string& { return column.name; });
}

bool only_keys(const StatementShape& shape);

bool is_inexact(const StatementShape& shape);

/// ON CONFLICT by the key, for PostgreSQL and SQLite: the row that is there takes the values of the other columns. Another row, which
/// the target takes for this one by an inexact column, stays as it is: `same(shape, column)` is true of rows whose characters are the same.
void append_on_conflict(std::string& out, const StatementShape& shape, std::string (*same)(const StatementShape&, const StatementColumn&));

/// Text and parameters of one statement. A dialect's builder is a `Builder : StatementBuilder<Builder>` with parts of its own.
template <class Self>
class StatementBuilder {
 public:
  explicit StatementBuilder(const StatementShape& shape) : shape_(shape) {}
  Self& add(std::string_view text) {
    statement_.text += text;
    return self();
  }
  Self& marker(std::size_t column) {
    statement_.parameters.push_back(static_cast<uint32_t>(column));
    return add("?");
  }
  Self& names() { return add(joined_names(shape_.columns)); }
  /// What `append(column, index)` adds for each of the columns chosen, with `join` between two.
  template <class Chosen, class Append>
  Self& each(std::string_view join, Chosen&& chosen, Append&& append) {
    for_each_column(
        shape_.columns, chosen, [&] { add(join); }, append);
    return self();
  }
  Statement take() { return std::move(statement_); }

 protected:
  const StatementShape& shape_;
  Statement statement_;

 private:
  Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace cdcrt::sql
