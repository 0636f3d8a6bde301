// What a decoder remembers of one topic: recognised schema prefixes, layouts, shape ids. Caches only: forgetting changes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdcrt/sdk/row_builder.hpp"
#include "debezium/layout.hpp"
#include "debezium/source_block.hpp"
#include "debezium/table_name.hpp"

namespace cdcrt::debezium {

enum class Form : uint8_t {
  kEnvelope,   ///< before, after, source, op
  kFlattened,  ///< the row itself
  kSchemaChange,
  kMarker  ///< heartbeat, transaction boundary, logical message
};

/// A schema with all that was made of it. `prefix`: the bytes of a message up to its payload.
struct KnownSchema {
  std::string prefix;  ///< empty: not at the begin of the message, so never recognised
  Form form = Form::kEnvelope;
  std::unique_ptr<Layout> layout;  ///< nullptr for kMarker
};

/// A column that a transform adds to keys only.
bool is_routed(std::string_view column);

/// A table under one layout, with one key: what a row's shape id stands for.
struct BoundShape {
  const Layout* row = nullptr;     ///< of the row in the message
  const Layout* layout = nullptr;  ///< the same, or with the key's column that no row has
  const Layout* key = nullptr;     ///< nullptr: the message has no key
  std::string database, schema, table, server;
  uint32_t flags = 0;
  uint32_t id = 0;
  std::vector<uint32_t> key_columns;  ///< in key order
  std::vector<uint8_t> is_key;        ///< by column
  bool is_routed = false;             ///< a column of the key is in no row: it comes from the message's key always
};

/// Views of a table's full name; data nullptr where the source has no such part.
struct TableReference {
  std::string_view database, schema, table;
  std::string_view server;  ///< empty: the event does not say
  uint32_t flags = 0;       ///< of the shape, beside those that follow from its layout and key
};

/// One topic; one thread. References stay valid until forget().
class TopicState {
 public:
  explicit TopicState(std::string topic) : topic_(std::move(topic)) {}

  [[nodiscard]] const std::string& topic() const { return topic_; }
  /// The schema whose prefix `message` begins with; nullptr when it is new.
  const KnownSchema* recognise_value(std::string_view message) { return recognise(values_, message); }
  const KnownSchema* recognise_key(std::string_view message) { return recognise(keys_, message); }
  const KnownSchema* learn_value(KnownSchema schema) { return learn(values_, std::move(schema)); }
  const KnownSchema* learn_key(KnownSchema schema) { return learn(keys_, std::move(schema)); }

  /// The layout of an object without schema. nullptr: a name stands twice, which `duplicate` then is.
  const Layout* row_layout(const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix, std::string& duplicate) {
    return natural(rows_, tape, object, metadata_prefix, duplicate);
  }
  const Layout* key_layout(const sdk::JsonTape& tape, uint32_t object, std::string& duplicate) {
    return natural(natural_keys_, tape, object, {}, duplicate);
  }
  /// No columns at all: a truncate without schema.
  const Layout* empty_layout() const { return &empty_; }

  /// The shape, interned on first sight; its layout may have more columns than `layout`. nullptr: the key names a column that the layout
  /// lacks, which `missing` then is.
  const BoundShape* bind(const Layout* layout, const Layout* key, const TableReference& table, sdk::RowBuilder& rows, std::string& missing);

  /// The shape of a definition, of which nothing is remembered.
  static uint32_t define(const Layout& layout, const Layout& key, const TableReference& table, sdk::RowBuilder& rows);

  SourceReader& source_reader() { return source_reader_; }
  /// The table of the topic by the option; computed once.
  const std::optional<TableName>& table(const TopicRule& rule);

  /// Memory held, bytes, roughly; and how to give it back. Nothing obtained before may be used after.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool is_overfull() const {
    return bytes_ > kMaximumBytes || shapes_.size() > kMaximumEntries || rows_.size() > kMaximumEntries;
  }
  void forget();

 private:
  static constexpr std::size_t kMaximumBytes = 4 << 20;
  static constexpr std::size_t kMaximumEntries = 256;
  using Schemas = std::vector<std::unique_ptr<KnownSchema>>;
  using Layouts = std::vector<std::unique_ptr<Layout>>;
  static const KnownSchema* recognise(Schemas& schemas, std::string_view message);
  const KnownSchema* learn(Schemas& schemas, KnownSchema schema);
  const Layout* natural(Layouts& layouts, const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix,
                        std::string& duplicate);

  std::string topic_;
  Schemas values_, keys_;
  Layouts rows_, natural_keys_;
  Layout empty_;
  std::vector<std::unique_ptr<Layout>> routed_;  ///< rows' layouts with a column of the key
  std::string server_;                           ///< that the topic's last event named
  std::vector<std::unique_ptr<BoundShape>> shapes_;
  SourceReader source_reader_;
  std::optional<TableName> table_;
  bool table_known_ = false;
  std::size_t bytes_ = 0;
};

/// Of all topics that a decoder meets, as many as there is room for.
class TopicStates {
 public:
  /// Valid until the next call.
  TopicState& of(std::string_view topic);

 private:
  std::unordered_map<std::string, std::unique_ptr<TopicState>> topics_;
};

}  // namespace cdcrt::debezium
