// Records of schema changes of MySQL and MariaDB: the columns that a table has now, and the statement, which alone says what was renamed.
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/table_shape.hpp"
#include "debezium/ddl_renames.hpp"
#include "debezium/event_decoder.hpp"
#include "debezium/table_changes.hpp"

namespace cdcrt::debezium {

using Kind = sdk::JsonKind;

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
  const std::vector<std::string> id = split_table_id(text_of(change, "id"));
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
  if (type == "ALTER") {
    std::vector<std::string_view> names;
    for (uint32_t i = 0; i < shape.size(); ++i) names.push_back(shape.name(i));
    const std::vector<std::string> formers = former_names(ddl, id[1], names);
    for (uint32_t i = 0; i < shape.size(); ++i) {
      if (!formers[i].empty()) shape.set_former_name(i, formers[i]);
    }
  }
  const std::string_view order = source_order(source_, *rows_);
  finish(rows_->begin_row(CDCRT_DEFINITION, message_->index(), rows_->intern(shape.abi())), order);
  return true;
}

}  // namespace cdcrt::debezium
