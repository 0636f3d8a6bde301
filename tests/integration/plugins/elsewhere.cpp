// A format whose rows do not tell the key of their table: "order,table,operation,id,line,name", operation i, u or d. A message
// "order,table,key,COLUMN..." is the definition that tells it, also that there is none.
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/table_shape.hpp"
#include "cdcrt/sdk/type.hpp"

namespace {

using namespace cdcrt::sdk;

std::vector<std::string_view> cut(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

int64_t number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class Elsewhere final : public Format {
 public:
  explicit Elsewhere(const Config&) {}

  Status decode(Messages messages, RowBuilder& rows) override {
    for (const Message message : messages) {
      const auto parts = cut(message.value());
      if (parts.size() < 3 || (parts[2] != "key" && parts.size() != 6)) {
        rows.reject(message.index(), Status::bad_record("not six parts"));
        continue;
      }
      add(message, parts, rows);
    }
    return {};
  }

 private:
  static void add(const Message& message, const std::vector<std::string_view>& parts, RowBuilder& rows) {
    TableShape shape(parts[1]);
    shape.schema("shop").declared();
    shape.add("id", type::int64());
    shape.add("line", type::int64());
    shape.add("name", type::text());
    const bool is_definition = parts[2] == "key";
    if (is_definition) {
      std::vector<std::string_view> key(parts.begin() + 3, parts.end());
      if (Status status = shape.set_key(key); !status) return rows.reject(message.index(), std::move(status));
    } else {
      shape.key_elsewhere();
    }
    const uint32_t id = rows.intern(shape.abi());
    const uint32_t cells = is_definition ? CDCRT_NO_CELLS : rows.take_cells(3);
    if (!is_definition) {
      set_integer(rows.cells(cells)[0], CDCRT_I64, number(parts[3]));
      set_integer(rows.cells(cells)[1], CDCRT_I64, number(parts[4]));
      set_text(rows.cells(cells)[2], CDCRT_STRING, rows.copy(parts[5]));
    }
    const auto operation = is_definition     ? CDCRT_DEFINITION
                           : parts[2] == "d" ? CDCRT_DELETE
                           : parts[2] == "u" ? CDCRT_UPDATE
                                             : CDCRT_INSERT;
    char* order = rows.allocate(8);
    for (int i = 0; i < 8; ++i) order[i] = static_cast<char>(static_cast<uint64_t>(number(parts[0])) >> (56 - 8 * i));
    cdcrt_row& row = rows.begin_row(operation, message.index(), id);
    row.cells = cells;
    row.source_order = {order, 8};
  }
};

}  // namespace

CDCRT_FORMAT("elsewhere", "1.0.0", Elsewhere, kNoOptions)
