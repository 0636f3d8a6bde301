// EventDecoder: one message at a time, from bytes to rows.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/json_tape.hpp"
#include "debezium/convert.hpp"
#include "debezium/foreign_format.hpp"
#include "debezium/message_shape.hpp"
#include "debezium/source_block.hpp"
#include "debezium/table_name.hpp"
#include "debezium/topic_state.hpp"
#include "debezium/unavailable.hpp"

namespace cdcrt::debezium {

enum class Tombstones { kAuto, kDelete, kIgnore };
enum class Events { kAuto, kEnvelope, kFlattened };
/// Who ran Debezium: Kafka Connect, or Flink CDC, whose events have no key and tell snapshots in a way of their own.
enum class Writer { kConnect, kFlink };

struct Settings {
  UnavailableValue unavailable{"__debezium_unavailable_value"};
  TopicRule topic_rule;
  Tombstones tombstones = Tombstones::kAuto;
  Events events = Events::kAuto;
  bool ignore_keys = false;
  std::string metadata_prefix = "__";
  Writer writer = Writer::kConnect;
  bool full_before = false;  ///< kFlink: PostgreSQL's tables have REPLICA IDENTITY FULL

  [[nodiscard]] bool tombstones_delete() const {
    return tombstones == Tombstones::kDelete || (tombstones == Tombstones::kAuto && topic_rule.is_given());
  }
};

/// Reused for every message of a worker; not thread-safe.
class EventDecoder {
 public:
  /// `settings` must outlive the decoder.
  explicit EventDecoder(const Settings& settings) : settings_(settings), converter_(settings.unavailable) {}

  /// Rows of the messages go to `rows`; a message that cannot be decoded is rejected, the others go on.
  sdk::Status decode(sdk::Messages messages, TopicState& topic, sdk::RowBuilder& rows);

 private:
  /// A Status other than OK says why the message is to be rejected.
  sdk::Status decode(const sdk::Message& message, TopicState& topic, sdk::RowBuilder& rows);
  /// After a message: what a large one took is given back.
  void give_back_large() {
    tape_.give_back_large();
    key_tape_.give_back_large();
    header_tape_.give_back_large();
  }
  /// The message's key, read as far as was needed.
  struct Key {
    const Layout* layout = nullptr;  ///< nullptr: none
    std::string_view payload;
    bool parsed = false;  ///< key_tape_ holds the payload
  };
  /// Members of an envelope: indices into tape_, 0 where there is none.
  struct Envelope {
    uint32_t before = 0, after = 0, source = 0, operation = 0;
  };

  sdk::Status read_key();
  sdk::Status parse_key();
  /// Takes the value apart: its schema, which is learned when it is new, and its payload.
  sdk::Status find_payload(const KnownSchema*& schema, std::string_view& payload);
  sdk::Status decode_root(const KnownSchema* schema);
  sdk::Status decode_natural_root(const MessageShape& shape);
  /// The operator says that it is a row.
  sdk::Status decode_natural_row(const MessageShape& shape);
  sdk::Status not_an_object();
  /// The value is a text that holds a JSON object, which header_tape_ then does.
  bool holds_json_text();
  /// Reads `source`; false when it is no object that Debezium writes of its source.
  bool read_source(uint32_t source);
  sdk::Status decode_envelope(const Envelope& envelope, const Layout* layout);
  sdk::Status decode_change(const Envelope& envelope, const Layout* layout, cdcrt_operation operation, const TableReference& table);
  sdk::Status decode_removal(uint32_t before, const Layout* layout, const TableReference& table);
  sdk::Status decode_flattened(const Layout* layout);
  sdk::Status decode_tombstone();
  sdk::Status learn_schema(std::string_view value, std::string_view schema, std::size_t prefix, const KnownSchema*& known);
  sdk::Status learn_key_schema(std::string_view key, std::string_view schema, std::size_t prefix);
  sdk::Status marker();
  /// Flink's {source, historyRecord}; `with_schema`: rows of this stream have one.
  sdk::Status decode_history(uint32_t record, bool with_schema);
  /// The table was made, with no row in it.
  sdk::Status begin_anew(uint32_t change, std::string_view order);
  /// A table's definition in the history at hand, which header_tape_ holds.
  sdk::Status define(uint32_t change, bool with_schema, std::string_view order);
  [[nodiscard]] bool is_of_flink() const { return settings_.writer == Writer::kFlink; }
  /// The image before a change may hold what the source never sent: zeros and empty texts of NOT NULL columns, NULL of the others.
  [[nodiscard]] bool may_be_made_up() const;
  [[nodiscard]] bool is_of_mysql() const;
  [[nodiscard]] sdk::Status foreign(const ForeignFormat& format) const;
  /// A record of a schema change: a definition for each of its tables; a marker where it has none.
  sdk::Status decode_schema_change();
  bool define_table(uint32_t change, std::string_view ddl);
  sdk::Status table_reference(TableReference& table) const;
  sdk::Status flat_table_reference(TableReference& table);
  [[nodiscard]] bool is_heartbeat();

  /// Layout of an object of tape_: the declared one, or by its names.
  sdk::Status layout_of(uint32_t object, const Layout* declared, std::string_view metadata_prefix, const Layout*& layout);
  /// `layout` of the message's row becomes that of the shape, which may have a column more.
  sdk::Status bind(const Layout*& layout, const TableReference& table, const BoundShape*& bound);
  /// Where a row object stands: for messages.
  struct Place {
    const sdk::JsonTape& tape;
    const char* part;      ///< "value", "key", "header"
    std::size_t base = 0;  ///< offset of the tape's text in the part
  };
  [[nodiscard]] Place in_value() const { return {tape_, "value", base_}; }
  /// Fills `layout`'s cells from an object; members that are no columns go to source_ and flat_*.
  sdk::Status read_row(const Layout& layout, const Place& place, uint32_t object, cdcrt_cell* cells);
  sdk::Status read_member(const Layout& layout, const Member& member, const Place& place, uint32_t name, cdcrt_cell* cells);
  /// Key cells from the message's key where they are ABSENT.
  sdk::Status complete_key(const BoundShape& shape, uint32_t cells);
  /// The key in `header` of the other event of a key change; `row`: the cells of this one.
  sdk::Status read_other_key(const char* header, const BoundShape& shape, const cdcrt_cell* row, uint32_t& cells);
  [[nodiscard]] bool is_full_image(const BoundShape& shape, const cdcrt_cell* cells) const;
  uint32_t key_only(const BoundShape& shape, uint32_t cells);
  /// Where the change stands in the source's log.
  std::string_view order_of(cdcrt_operation operation);
  void finish(cdcrt_row& row, std::string_view order);

  const Settings& settings_;
  Converter converter_;
  sdk::JsonTape tape_, key_tape_, header_tape_;
  SourceReader source_reader_;
  SourceValues source_;
  std::vector<uint8_t> seen_;
  std::string order_;
  bool is_lenient_ = false;  ///< values that cannot be read are ABSENT

  // of the message at hand
  const sdk::Message* message_ = nullptr;
  TopicState* topic_ = nullptr;
  sdk::RowBuilder* rows_ = nullptr;
  Key key_;
  std::size_t base_ = 0;  ///< offset of the payload in the value
  std::string_view flat_operation_, flat_deleted_;
};

}  // namespace cdcrt::debezium
