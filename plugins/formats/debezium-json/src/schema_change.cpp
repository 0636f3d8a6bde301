// Records of schema changes of MySQL and MariaDB: the columns that a table has now, and the statement, which alone says what was renamed.
#include <algorithm>
#include <string>
#include <vector>

#include "cdcrt/sdk/table_shape.hpp"
#include "debezium/ddl_renames.hpp"
#include "event_decoder.hpp"

namespace cdcrt::debezium_json {

using debezium::SourceField;
using Kind = sdk::JsonKind;

namespace {

bool equal_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// "shop"."orders", with the parts' quotes doubled.
std::vector<std::string> parts_of(std::string_view id) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < id.size(); ++at) {
    if (id[at] != '"') return {};
    std::string& part = parts.emplace_back();
    for (++at; at < id.size(); ++at) {
      if (id[at] == '"' && (at + 1 == id.size() || id[at + 1] != '"')) break;
      if (id[at] == '"') ++at;
      part += id[at];
    }
    if (at >= id.size() || (++at < id.size() && id[at] != '.')) return {};
  }
  return parts;
}

/// None where a new name is no column: Debezium has read the statement otherwise.
void add_renames(sdk::TableShape& shape, const std::vector<debezium::ColumnRename>& renames) {
  std::vector<uint32_t> places;
  for (const debezium::ColumnRename& rename : renames) {
    uint32_t place = 0;
    while (place < shape.size() && !equal_letters(shape.name(place), rename.name)) ++place;
    if (place == shape.size()) return;
    places.push_back(place);
  }
  for (std::size_t i = 0; i < renames.size(); ++i) shape.set_former_name(places[i], renames[i].former);
}

}  // namespace

sdk::Status EventDecoder::decode_schema_change() {
  const uint32_t source = tape_[0].kind == Kind::kObject ? tape_.find(0, "source") : 0;
  const uint32_t changes = tape_[0].kind == Kind::kObject ? tape_.find(0, "tableChanges") : 0;
  if (source == 0 || changes == 0 || tape_[changes].kind != Kind::kArray || !read_source(source)) return marker();
  const std::string_view connector = source_[SourceField::kConnector];
  if (connector != "mysql" && connector != "mariadb") return marker();
  const uint32_t statement = tape_.find(0, "ddl");
  const std::string_view ddl = statement != 0 && tape_[statement].kind == Kind::kString ? tape_.text(statement) : std::string_view();
  bool any = false;
  uint32_t change = changes + 1;
  for (uint32_t i = 0; i < tape_[changes].size; ++i) {
    if (tape_[change].kind == Kind::kObject && define_table(change, ddl)) any = true;
    change = tape_[change].next;
  }
  return any ? sdk::Status() : marker();
}

bool EventDecoder::define_table(uint32_t change, std::string_view ddl) {
  const auto text_of = [&](uint32_t object, std::string_view name) {
    const uint32_t value = tape_.find(object, name);
    return value != 0 && tape_[value].kind == Kind::kString ? tape_.text(value) : std::string_view();
  };
  const std::string_view type = text_of(change, "type");
  const std::vector<std::string> id = parts_of(text_of(change, "id"));
  const uint32_t table = tape_.find(change, "table");
  if ((type != "CREATE" && type != "ALTER") || id.size() != 2 || table == 0 || tape_[table].kind != Kind::kObject) return false;
  const uint32_t columns = tape_.find(table, "columns"), key = tape_.find(table, "primaryKeyColumnNames");
  // Without a key the whole row says which one is meant: nothing waits for a definition there.
  if (columns == 0 || tape_[columns].kind != Kind::kArray || tape_[columns].size == 0 || key == 0 || tape_[key].kind != Kind::kArray ||
      tape_[key].size == 0)
    return false;
  sdk::TableShape shape(id[1]);
  shape.database(id[0]).server(source_[SourceField::kName]).declared();
  uint32_t column = columns + 1;
  for (uint32_t i = 0; i < tape_[columns].size; ++i) {
    const std::string_view name = tape_[column].kind == Kind::kObject ? text_of(column, "name") : std::string_view();
    if (name.empty() || shape.find(name) != shape.size()) return false;
    shape.add(name);
    column = tape_[column].next;
  }
  if (type == "ALTER") add_renames(shape, debezium::renames_of(ddl, id[1]));
  const std::string_view order = debezium::source_order(source_, *rows_);
  finish(rows_->begin_row(CDCRT_DEFINITION, message_->index(), rows_->intern(shape.abi())), order);
  return true;
}

}  // namespace cdcrt::debezium_json
