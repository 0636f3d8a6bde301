// From a history record of Flink CDC to definitions and truncates.
#include "cdcrt/sdk/json_text.hpp"
#include "debezium/ddl_renames.hpp"
#include "debezium/event_decoder.hpp"
#include "debezium/json_parse.hpp"
#include "debezium/table_changes.hpp"

namespace cdcrt::debezium {

using Kind = sdk::JsonKind;
using sdk::Status;

namespace {

Status bad_history(const std::string& what) {
  return Status::bad_record("value: historyRecord: " + what,
                            "look at the raw bytes in the dead letter; the table goes on with the columns and the key that are known");
}

/// The name's last parts; views into `parts`.
TableReference reference(const std::vector<std::string>& parts, std::string_view server) {
  TableReference table;
  table.table = parts.back();
  if (parts.size() >= 3) table.schema = parts[parts.size() - 2];
  if (parts.size() >= 2) table.database = parts[parts.size() - (parts.size() >= 3 ? 3 : 2)];
  table.server = server;
  table.flags = CDCRT_SHAPE_KEY_ELSEWHERE;
  return table;
}

}  // namespace

Status EventDecoder::decode_history(uint32_t record, bool with_schema) {
  if (!debezium::parse_json(tape_.text(record), header_tape_) || header_tape_[0].kind != Kind::kObject) {
    return bad_history("not JSON");
  }
  const uint32_t ddl = header_tape_.find(0, "ddl");
  const DdlStatement statement(ddl != 0 && header_tape_[ddl].kind == Kind::kString ? header_tape_.text(ddl) : std::string_view());
  if (!statement.is_readable()) return bad_history("the comments of its statement are nested too deeply");
  if (statement.is_of_view()) return marker();
  const std::string_view order = order_of(CDCRT_DEFINITION);
  if (const auto truncated = statement.truncated()) {
    if (truncated->table.find_first_not_of(' ') == std::string::npos) return bad_history("a TRUNCATE of a table without a name");
    const uint32_t database = header_tape_.find(0, "databaseName");
    TableReference table = {source_[SourceField::kDatabase], {}, truncated->table, source_[SourceField::kName], CDCRT_SHAPE_KEY_ELSEWHERE};
    if (database != 0 && header_tape_[database].kind == Kind::kString) table.database = header_tape_.text(database);
    if (!truncated->database.empty()) table.database = truncated->database;
    const BoundShape* shape = nullptr;
    const Layout* none = topic_->empty_layout();
    if (Status status = bind(none, table, shape); !status) return status;
    finish(rows_->begin_row(CDCRT_TRUNCATE, message_->index(), shape->id), order);
    return {};
  }
  if (statement.drops_rows_of_partitions()) {
    return bad_history("the statement took the rows of a partition away, and no event names them: " +
                       sdk::json_string(header_tape_.text(ddl)));
  }
  const uint32_t changes = header_tape_.find(0, "tableChanges");
  if (changes == 0 || header_tape_[changes].kind != Kind::kArray) return marker();
  bool any = false;
  uint32_t change = changes + 1;
  for (uint32_t i = 0; i < header_tape_[changes].size; ++i, change = header_tape_[change].next) {
    const uint32_t type = header_tape_[change].kind == Kind::kObject ? header_tape_.find(change, "type") : 0;
    if (type == 0 || header_tape_[type].kind != Kind::kString) return bad_history("a change of a table without \"type\"");
    // What a table held when it was dropped stays in the target: the next one of its name brings its own definition.
    if (header_tape_.text(type) == "DROP") continue;
    if (Status status = define(change, with_schema, order); !status) return status;
    any = true;
  }
  return any ? Status() : marker();
}

Status EventDecoder::define(uint32_t change, bool with_schema, std::string_view order) {
  const uint32_t id = header_tape_.find(change, "id");
  const auto name = split_table_id(id != 0 && header_tape_[id].kind == Kind::kString ? header_tape_.text(id) : std::string_view());
  if (name.empty() || name.back().empty()) return bad_history("a change of a table without its name");
  const uint32_t table = header_tape_.find(change, "table");
  const uint32_t columns = table != 0 && header_tape_[table].kind == Kind::kObject ? header_tape_.find(table, "columns") : 0;
  const uint32_t keys = columns == 0 ? 0 : header_tape_.find(table, "primaryKeyColumnNames");
  if (columns == 0 || header_tape_[columns].kind != Kind::kArray) {
    return bad_history("no columns of table " + sdk::json_string(name.back()));
  }
  Layout layout;
  layout.declared = true;
  uint32_t column = columns + 1;
  for (uint32_t i = 0; i < header_tape_[columns].size; ++i, column = header_tape_[column].next) {
    if (header_tape_[column].kind != Kind::kObject) return bad_history("a column that is no object");
    Column defined = defined_column(header_tape_, column, !with_schema);
    if (defined.name.empty() || layout.find_column(defined.name) >= 0) {
      return bad_history("a column of table " + sdk::json_string(name.back()) + " without a name of its own");
    }
    layout.add(std::move(defined));
  }
  const uint32_t ddl = header_tape_.find(0, "ddl");
  if (ddl != 0 && header_tape_[ddl].kind == Kind::kString) {
    std::vector<std::string_view> names;
    for (const Column& each : layout.columns) names.emplace_back(each.name);
    std::vector<std::string> formers = former_names(header_tape_.text(ddl), name.back(), names);
    for (std::size_t i = 0; i < formers.size(); ++i) layout.columns[i].former_name = std::move(formers[i]);
  }
  Layout key;
  if (keys != 0 && header_tape_[keys].kind == Kind::kArray) {
    uint32_t place = keys + 1;
    for (uint32_t i = 0; i < header_tape_[keys].size; ++i, place = header_tape_[place].next) {
      Column part;
      part.name = std::string(header_tape_[place].kind == Kind::kString ? header_tape_.text(place) : std::string_view());
      if (layout.find_column(part.name) < 0) {
        return bad_history("key column " + sdk::json_string(part.name) + " is no column of table " + sdk::json_string(name.back()));
      }
      if (key.find_column(part.name) >= 0) {
        return bad_history("key column " + sdk::json_string(part.name) + " of table " + sdk::json_string(name.back()) + " is named twice");
      }
      key.add(std::move(part));
    }
  }
  const uint32_t shape = TopicState::define(layout, key, reference(name, source_[SourceField::kName]), *rows_);
  finish(rows_->begin_row(CDCRT_DEFINITION, message_->index(), shape), order);
  return {};
}

}  // namespace cdcrt::debezium
