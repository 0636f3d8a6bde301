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
#include "debezium/known_prefixes.hpp"
#include "debezium/layout.hpp"
#include "debezium/schema_pool.hpp"
#include "debezium/table_name.hpp"

namespace cdcrt::debezium {

enum class Form : uint8_t {
  kEnvelope,   ///< before, after, source, op
  kFlattened,  ///< the row itself
  kSchemaChange,
  kMarker  ///< heartbeat, transaction boundary, logical message
};

/// A schema with all that was made of it.
struct KnownSchema {
  std::size_t prefix = 0;  ///< bytes of a message up to its payload; 0: it is not at the begin of the message, so never recognised
  Form form = Form::kEnvelope;
  std::shared_ptr<const Layout> layout;  ///< nullptr for kMarker
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
  bool is_of_mysql = false;
  bool is_routed = false;  ///< a column of the key is in no row: it comes from the message's key always
};

/// Views of a table's full name; data nullptr where the source has no such part.
struct TableReference {
  std::string_view database, schema, table;
  std::string_view server;   ///< empty: the event does not say
  uint32_t flags = 0;        ///< of the shape, beside those that follow from its layout and key
  bool is_of_mysql = false;  ///< or of MariaDB: see mysql_default
};

/// One topic; one thread. References stay valid until forget(). What is asked for hardly costs more where many tables share the topic.
class TopicState {
 public:
  /// The pool lives longer.
  TopicState(std::string topic, SchemaPool& pool) : topic_(std::move(topic)), pool_(pool) {}

  [[nodiscard]] const std::string& topic() const { return topic_; }
  /// The schema whose prefix `message` begins with; nullptr when it is new.
  const KnownSchema* recognise_value(std::string_view message) { return values_.recognise(message); }
  const KnownSchema* recognise_key(std::string_view message) { return keys_.recognise(message); }
  /// `prefix`: of a message up to its payload; empty: it is not to be recognised.
  const KnownSchema* learn_value(KnownSchema schema, std::string_view prefix) { return learn(values_, std::move(schema), prefix); }
  const KnownSchema* learn_key(KnownSchema schema, std::string_view prefix) { return learn(keys_, std::move(schema), prefix); }
  std::shared_ptr<const Layout> share(std::unique_ptr<Layout> layout);

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

  /// The table of the topic by the option; computed once.
  const std::optional<TableName>& table(const TopicRule& rule);

  /// Memory held beside the pool, bytes, roughly; and how to give it back. Nothing obtained before may be used after.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// What others have put into the pool it cannot give back.
  [[nodiscard]] bool is_overfull() const {
    const bool is_large = bytes_ + pooled_ > kMaximumBytes / 8 && bytes_ + pool_.bytes() > kMaximumBytes;
    return is_large || values_.passing() + keys_.passing() > kMaximumPassing;
  }
  void forget();

  static constexpr std::size_t kMaximumBytes = 32 << 20;

 private:
  static constexpr std::size_t kMaximumPassing = 256;
  /// In the order in which they were learned; the last one that was met is tried first, since events come in runs.
  struct Schemas {
    std::vector<std::unique_ptr<KnownSchema>> all;
    std::vector<uint32_t> by_prefix;  ///< which of them the prefixes are of
    KnownPrefixes prefixes;
    uint32_t last = KnownPrefixes::kNone;  ///< of the prefixes
    const KnownSchema* recognise(std::string_view message);
    /// Those that are never recognised.
    [[nodiscard]] std::size_t passing() const { return all.size() - by_prefix.size(); }
  };
  struct Layouts {
    std::unordered_multimap<uint64_t, std::shared_ptr<const Layout>> all;  ///< by their names' hash
    const Layout* last = nullptr;
  };
  const KnownSchema* learn(Schemas& schemas, KnownSchema schema, std::string_view prefix);
  const Layout* natural(Layouts& layouts, const sdk::JsonTape& tape, uint32_t object, std::string_view metadata_prefix,
                        std::string& duplicate);

  std::string topic_;
  SchemaPool& pool_;
  Schemas values_, keys_;
  Layouts rows_, natural_keys_;
  Layout empty_;
  std::vector<std::unique_ptr<Layout>> routed_;  ///< rows' layouts with a column of the key
  std::string server_;                           ///< that the topic's last event named
  /// By hash, in one block without nodes: of thousands of tables in a topic none is in a cache.
  struct PlacedShape {
    uint64_t hash = 0;
    std::unique_ptr<BoundShape> shape;  ///< nullptr: the place is free
  };
  void add_shape(uint64_t hash, std::unique_ptr<BoundShape> shape);
  std::vector<PlacedShape> shapes_;  ///< as many as a power of two, a half of them free at least
  std::size_t shape_count_ = 0;
  const BoundShape* last_shape_ = nullptr;
  std::optional<TableName> table_;
  bool table_known_ = false;
  std::size_t bytes_ = 0;
  std::size_t pooled_ = 0;  ///< that it has put into the pool
};

/// Of all topics that a decoder meets, as many as there is room for. One thread.
class TopicStates {
 public:
  /// Valid until the next call.
  TopicState& of(std::string_view topic);
  /// Of all of them and what they share, as of the last call.
  [[nodiscard]] std::size_t bytes() const { return bytes_ + pool_.bytes(); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  struct Place {
    std::unique_ptr<TopicState> state;
    std::size_t bytes = 0;  ///< that count in bytes_
    uint64_t used = 0;      ///< when it was asked for last
  };
  void count(Place& place);
  void make_room();
  void forget_one();

  SchemaPool pool_;
  std::vector<Place> places_;
  std::unordered_map<std::string_view, std::size_t> by_topic_;  ///< names are the states' own
  std::size_t last_ = 0;                                        ///< the one that was handed out
  std::size_t bytes_ = 0;
  uint64_t asked_ = 0, chance_ = 1;
};

}  // namespace cdcrt::debezium
