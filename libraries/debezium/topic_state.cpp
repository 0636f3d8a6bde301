#include "debezium/topic_state.hpp"

#include <algorithm>
#include <cstring>

namespace cdcrt::debezium {

namespace {

/// ByLogicalTableRouter adds it to keys only: it says which of the tables that it joins a row is from.
constexpr std::string_view kRouterKey = "__dbz__physicalTableIdentifier";
constexpr std::size_t kMaximumTopics = 4096;
constexpr std::size_t kMaximumTopicBytes = 16 << 20;  ///< of all topics' caches

std::size_t layout_bytes(const Layout& layout) {
  return sizeof(Layout) + layout.members.size() * (sizeof(Member) + 32) + layout.columns.size() * (sizeof(Column) + 64);
}

cdcrt_string optional_text(const std::string& text) { return text.empty() ? cdcrt_string{} : sdk::borrow(text); }

uint32_t intern(const BoundShape& bound, sdk::RowBuilder& rows) {
  std::vector<cdcrt_column> columns(bound.layout->columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& from = bound.layout->columns[i];
    cdcrt_column& to = columns[i];
    to.name = sdk::borrow(from.name);
    to.type = from.type;
    if (!from.former_name.empty()) to.former_name = sdk::borrow(from.former_name);
    if (bound.layout->declared && !from.optional) to.flags |= CDCRT_COLUMN_NOT_NULL;
    // A key has no default: Debezium writes 0 for sequences.
    if (from.has_default && !bound.is_key[i]) {
      to.flags |= CDCRT_COLUMN_DEFAULT;
      if (from.default_certain) to.flags |= CDCRT_COLUMN_DEFAULT_CERTAIN;
      to.default_value = from.default_cell;
      if (from.default_cell.tag >= CDCRT_STRING || from.default_cell.tag == CDCRT_DECIMAL)
        to.default_value.value.data = from.default_text.data();
    }
  }
  for (std::size_t i = 0; i < bound.key_columns.size(); ++i) {
    cdcrt_column& column = columns[bound.key_columns[i]];
    column.key_ordinal = static_cast<uint32_t>(i + 1);
    if (sdk::view(column.name) == kRouterKey) column.flags |= CDCRT_COLUMN_ROUTED;
  }
  cdcrt_shape shape{};
  shape.size = sizeof shape;
  shape.flags = bound.flags;
  if (bound.layout->declared) shape.flags |= CDCRT_SHAPE_DECLARED;
  // The message's key is what Kafka partitions by.
  if (bound.key != nullptr) shape.flags |= CDCRT_SHAPE_KEYED;
  if (bound.key != nullptr && (bound.flags & CDCRT_SHAPE_KEY_ELSEWHERE) == 0) shape.flags |= CDCRT_SHAPE_KEY_IN_ONE_PARTITION;
  shape.database = optional_text(bound.database);
  shape.schema = optional_text(bound.schema);
  shape.table = sdk::borrow(bound.table);
  shape.columns = columns.data();
  shape.column_count = static_cast<uint32_t>(columns.size());
  shape.column_size = sizeof(cdcrt_column);
  shape.server = optional_text(bound.server);
  return rows.intern(shape);
}

/// Where the key's columns are in the row. False: `missing` is not.
bool name_key(BoundShape& bound, std::string& missing) {
  bound.is_key.assign(bound.layout->columns.size(), 0);
  if (bound.key == nullptr) return true;
  for (const auto& member : bound.key->members) {
    const int32_t column = bound.layout->find_column(member.name);
    if (column < 0) {
      missing = member.name;
      return false;
    }
    bound.key_columns.push_back(static_cast<uint32_t>(column));
    bound.is_key[static_cast<std::size_t>(column)] = 1;
  }
  return true;
}

}  // namespace

bool is_routed(std::string_view column) { return column == kRouterKey; }

const KnownSchema* TopicState::recognise(Schemas& schemas, std::string_view message) {
  for (std::size_t i = 0; i < schemas.size(); ++i) {
    const std::string& prefix = schemas[i]->prefix;
    if (prefix.empty() || message.size() <= prefix.size() || std::memcmp(message.data(), prefix.data(), prefix.size()) != 0) continue;
    // Streams stay with one schema for long: the one of the last message stands first.
    if (i != 0) std::swap(schemas[0], schemas[i]);
    return schemas[0].get();
  }
  return nullptr;
}

const KnownSchema* TopicState::learn(Schemas& schemas, KnownSchema schema) {
  bytes_ += schema.prefix.size() + sizeof(KnownSchema) + (schema.layout ? layout_bytes(*schema.layout) : 0);
  schemas.push_back(std::make_unique<KnownSchema>(std::move(schema)));
  const KnownSchema* learned = schemas.back().get();
  std::swap(schemas.front(), schemas.back());
  return learned;
}

const Layout* TopicState::natural(Layouts& layouts, const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix,
                                  std::string& duplicate) {
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    if (!matches(*layouts[i], tape, object)) continue;
    if (i != 0) std::swap(layouts[0], layouts[i]);
    return layouts[0].get();
  }
  auto made = natural_layout(tape, object, metadata_prefix, duplicate);
  if (!made) return nullptr;
  bytes_ += layout_bytes(*made);
  layouts.push_back(std::move(made));
  const Layout* layout = layouts.back().get();
  std::swap(layouts.front(), layouts.back());
  return layout;
}

const BoundShape* TopicState::bind(const Layout* layout, const Layout* key, const TableReference& table, sdk::RowBuilder& rows,
                                   std::string& missing) {
  // A null value names no server: it is of the one whose events the topic has.
  if (!table.server.empty() && table.server != server_) server_ = std::string(table.server);
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const BoundShape& bound = *shapes_[i];
    if (bound.row != layout || bound.key != key || table.table != bound.table || table.schema != bound.schema ||
        table.database != bound.database || server_ != bound.server || table.flags != bound.flags) {
      continue;
    }
    if (i != 0) std::swap(shapes_[0], shapes_[i]);
    return shapes_[0].get();
  }
  auto bound = std::make_unique<BoundShape>();
  bound->row = layout;
  if (key != nullptr && layout->find_column(kRouterKey) < 0) {
    if (const int32_t column = key->find_column(kRouterKey); column >= 0) {
      auto routed = std::make_unique<Layout>(*layout);
      routed->columns.push_back(key->columns[static_cast<std::size_t>(column)]);
      bytes_ += layout_bytes(*routed);
      layout = routed_.emplace_back(std::move(routed)).get();
      bound->is_routed = true;
    }
  }
  bound->layout = layout;
  bound->key = key;
  bound->database = std::string(table.database);
  bound->schema = std::string(table.schema);
  bound->table = std::string(table.table);
  bound->server = server_;
  bound->flags = table.flags;
  if (!name_key(*bound, missing)) return nullptr;
  bound->id = intern(*bound, rows);
  bytes_ += sizeof(BoundShape) + layout->columns.size() + 64;
  shapes_.push_back(std::move(bound));
  std::swap(shapes_.front(), shapes_.back());
  return shapes_.front().get();
}

uint32_t TopicState::define(const Layout& layout, const Layout& key, const TableReference& table, sdk::RowBuilder& rows) {
  BoundShape bound;
  bound.layout = &layout;
  bound.key = &key;
  bound.database = std::string(table.database);
  bound.schema = std::string(table.schema);
  bound.table = std::string(table.table);
  bound.server = std::string(table.server);
  bound.flags = table.flags;
  std::string missing;
  name_key(bound, missing);
  return intern(bound, rows);
}

const std::optional<TableName>& TopicState::table(const TopicRule& rule) {
  if (!table_known_) {
    table_ = rule.table(topic_);
    table_known_ = true;
  }
  return table_;
}

void TopicState::forget() {
  shapes_.clear();
  values_.clear();
  keys_.clear();
  rows_.clear();
  natural_keys_.clear();
  routed_.clear();
  source_reader_ = {};
  bytes_ = 0;
}

TopicState& TopicStates::of(std::string_view topic) {
  std::string name(topic);
  const auto found = topics_.find(name);
  if (found != topics_.end()) return *found->second;
  std::size_t bytes = 0;
  for (const auto& [other, state] : topics_) bytes += state->bytes();
  if (topics_.size() >= kMaximumTopics || bytes > kMaximumTopicBytes) topics_.clear();
  auto made = std::make_unique<TopicState>(name);
  return *topics_.emplace(std::move(name), std::move(made)).first->second;
}

}  // namespace cdcrt::debezium
