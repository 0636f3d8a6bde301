// MessageShape: which of Debezium's own members an object without schema has, and what message they make together.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "cdcrt/sdk/json_tape.hpp"

namespace cdcrt::debezium {

/// Members of Debezium's messages. Any of them may be the name of a table's column, so that one alone proves nothing.
enum class Part : uint8_t {
  kBefore,
  kAfter,
  kSource,
  kOperation,
  kMessage,
  kTransaction,
  kTime,
  kStatus,
  kId,
  kEventCount,
  kDataCollections,
  kDdl,
  kTableChanges,
  kHistoryRecord,
  kDatabaseName,
  kSchemaName,
  kPosition,
  kNone  ///< another name; also the count of the others
};

class MessageShape {
 public:
  /// Looks at the names of an object, the first one of `tape` as a rule. The index of a name that stands twice and must not, else 0.
  uint32_t read(const sdk::JsonTape& tape, uint32_t object = 0);

  /// Index of the member's value; 0: none.
  [[nodiscard]] uint32_t operator[](Part part) const { return at_[static_cast<std::size_t>(part)]; }
  /// The object has no members but these (times counted once for all).
  [[nodiscard]] bool has_only(std::initializer_list<Part> parts) const;

  /// Before, after or a logical message beside an operation and a source object, and nothing else; `names_table`: the source does.
  [[nodiscard]] bool is_bare_envelope(const sdk::JsonTape& tape, bool names_table) const;
  /// An operation with rows or a source, or Debezium's source.
  [[nodiscard]] bool is_event(const sdk::JsonTape& tape) const;
  /// What is left of an envelope that something damaged, or an envelope that is no Debezium's.
  [[nodiscard]] bool resembles_envelope(const sdk::JsonTape& tape) const;
  /// The beginning or the end of a transaction. `topic`: a hint where the values alone leave a doubt.
  [[nodiscard]] bool is_transaction(const sdk::JsonTape& tape, std::string_view topic) const;
  /// A change of tables; `debezium_source`: the source is Debezium's own block beyond doubt.
  [[nodiscard]] bool is_schema_change(const sdk::JsonTape& tape, bool debezium_source) const;

 private:
  [[nodiscard]] bool is(const sdk::JsonTape& tape, Part part, sdk::JsonKind kind) const {
    return (*this)[part] != 0 && tape[(*this)[part]].kind == kind;
  }
  std::array<uint32_t, static_cast<std::size_t>(Part::kNone)> at_{};
  bool others_ = false;  ///< members of other names
};

/// What a connector tells of its snapshots: {"id":..,"aggregate_type":..,"type":..,"additional_data":{},"timestamp":5}
bool is_notification(const sdk::JsonTape& tape);

/// The name of a member that holds an event, or a part of one that no column's value is: {"data":{"op":"c","after":..}}. 0: none.
uint32_t find_wrapped_event(const sdk::JsonTape& tape, const MessageShape& shape);

}  // namespace cdcrt::debezium
