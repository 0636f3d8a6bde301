#include "debezium/layout.hpp"

#include <algorithm>
#include <unordered_set>

#include "debezium/foreign_format.hpp"

namespace cdcrt::debezium {

namespace {

/// Names that add.fields can give, after the prefix; a column of another name that begins alike stays a column.
constexpr std::string_view kMetadata[] = {
    "op",    "deleted",  "table",      "db",         "schema",     "lsn",         "file",           "pos",  "row",  "ts_ms",     "ts_us",
    "ts_ns", "scn",      "commit_scn", "change_lsn", "commit_lsn", "gtid",        "server_id",      "txId", "xmin", "connector", "version",
    "name",  "snapshot", "sequence",   "thread",     "query",      "transaction", "event_serial_no"};

Member classify(std::string_view name, std::string_view prefix) {
  Member member;
  member.name = std::string(name);
  if (prefix.empty() || !name.starts_with(prefix)) return member;
  std::string_view rest = name.substr(prefix.size());
  const bool of_source = rest.starts_with("source_");
  if (!of_source && !rest.starts_with("transaction_") &&
      std::find(std::begin(kMetadata), std::end(kMetadata), rest) == std::end(kMetadata)) {
    return member;
  }
  if (of_source) rest.remove_prefix(7);
  member.flat = FlatField::kIgnored;
  member.source = source_field(rest);
  // ts_ms without source_ is when Debezium saw the change, not when it was committed.
  const bool own_time = !of_source && rest.starts_with("ts_");
  if (own_time && rest == "ts_ms") member.source = SourceField::kReadMilliseconds;
  if (!of_source && rest == "op") {
    member.flat = FlatField::kOperation;
  } else if (!of_source && rest == "deleted") {
    member.flat = FlatField::kDeleted;
  } else if (member.source != SourceField::kOther && (!own_time || member.source == SourceField::kReadMilliseconds)) {
    member.flat = FlatField::kSource;
  }
  return member;
}

void add_member(Layout& layout, Member member, Column column) {
  if (member.flat == FlatField::kDeleted) layout.says_deleted = true;
  if (may_be_foreign(member.name)) layout.may_be_foreign = true;
  if (member.flat == FlatField::kColumn) {
    member.column = static_cast<int32_t>(layout.columns.size());
    layout.columns.push_back(std::move(column));
  }
  layout.members.push_back(std::move(member));
}

}  // namespace

void Layout::add(Column column) {
  Member member;
  member.name = column.name;
  add_member(*this, std::move(member), std::move(column));
}

int32_t Layout::find_column(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

int32_t Layout::find_member(std::string_view name) const {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

std::unique_ptr<Layout> declared_layout(const ConnectSchema& row, std::string_view metadata_prefix, Converter& converter) {
  auto layout = std::make_unique<Layout>();
  layout->declared = true;
  for (const auto& field : row.fields) {
    Column column = make_column(field);
    converter.set_default(field, column);
    add_member(*layout, classify(field.field, metadata_prefix), std::move(column));
  }
  return layout;
}

std::unique_ptr<Layout> natural_layout(const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix,
                                       std::string& duplicate) {
  auto layout = std::make_unique<Layout>();
  std::unordered_set<std::string_view> names;
  uint32_t name = object + 1;
  for (uint32_t i = 0; i < tape[object].size; ++i) {
    if (!names.insert(tape.text(name)).second) {
      duplicate = std::string(tape.text(name));
      return nullptr;
    }
    Column column;
    column.name = std::string(tape.text(name));
    Member member = classify(column.name, metadata_prefix);
    add_member(*layout, std::move(member), std::move(column));
    name = tape[name + 1].next;
  }
  return layout;
}

bool matches(const Layout& layout, const sdk::JsonTape& tape, uint32_t object) {
  const std::size_t count = tape[object].size;
  if (layout.members.size() != count) return false;
  uint32_t name = object + 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (tape.text(name) != layout.members[i].name) return false;
    name = tape[name + 1].next;
  }
  return true;
}

bool equal(const Layout& a, const Layout& b) {
  const auto is_same_member = [](const Member& x, const Member& y) {
    return x.name == y.name && x.column == y.column && x.flat == y.flat && x.source == y.source;
  };
  return a.declared == b.declared && a.says_deleted == b.says_deleted && a.may_be_foreign == b.may_be_foreign &&
         std::equal(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(), is_same_member) &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const Column& x, const Column& y) { return equal(x, y); });
}

}  // namespace cdcrt::debezium
