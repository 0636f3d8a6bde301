#include "dms.hpp"

#include <string>
#include <utility>

namespace cdcrt::dms {

sdk::Status Dms::configure(const sdk::Config& config) {
  settings_.before_image_field = config.string("before_image_field");
  for (const char* const own : {"data", "control", "metadata"}) {
    if (settings_.before_image_field == own) {
      return sdk::Status::bad_config("before_image_field", std::string("\"") + own + "\" is the name of another part of a record");
    }
  }
  settings_.before_names = {config.string("before_image_prefix"), config.string("before_image_suffix")};
  settings_.includes_nulls = config.boolean("include_null_and_empty");
  settings_.deletes_have_rows = config.string("deletes") == "row";
  settings_.loads_count_by_time = config.string("loads") == "in_time";
  for (const std::string& name : config.list("empty_when_absent")) {
    const std::size_t dot = name.rfind('.');
    EmptyColumn empty{dot == std::string::npos ? "*" : name.substr(0, dot), dot == std::string::npos ? name : name.substr(dot + 1)};
    // A table without its schema: of any.
    if (dot != std::string::npos && empty.table.find('.') == std::string::npos) empty.table.insert(0, "*.");
    if (empty.column.empty() || empty.column.find_first_of("*?") != std::string::npos) {
      return sdk::Status::bad_config("empty_when_absent",
                                     "\"" + name + "\" does not name a column: what is not in the event has no name there");
    }
    // No record tells which columns a table has: a pattern would give the column to tables that have none of that name.
    const std::string_view table = std::string_view(empty.table).substr(empty.table.rfind('.') + 1);
    if (table.empty() || table.find_first_of("*?") != std::string_view::npos) {
      return sdk::Status::bad_config("empty_when_absent",
                                     "\"" + name + "\" does not name the column's table: every table that matches would get the column",
                                     "write a name for each table, as in \"shop.customer.note\", or \"customer.note\" in any schema");
    }
    settings_.empty_columns.push_back(std::move(empty));
  }
  return {};
}

sdk::Status Dms::decode(sdk::Messages messages, sdk::RowBuilder& rows) {
  return sdk::each_message(messages, rows, [&](const sdk::Message& message) {
    sdk::Status status = decoder_.decode(message, rows);
    decoder_.give_back_large();
    return status;
  });
}

}  // namespace cdcrt::dms
