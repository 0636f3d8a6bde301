// JSON for formats: JsonDocument parses a text, JsonValue looks at it, set_value makes cells of it. Numbers keep their digits.
// Header-only, C++17. Needs RapidJSON (Debian: rapidjson-dev).
//
//   JsonDocument document;                                         // a member: reused without allocating
//   if (Status status = document.parse(message.value()); !status) return status;
//   const JsonValue row = document.root()["data"];
//   if (row.kind() != JsonKind::kObject) return Status::bad_record("data: " + ...);
//   for (const auto [name, value] : row.members()) ...
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/sdk/json_parse.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/typed_text.hpp"

namespace cdcrt::sdk {

struct JsonMember;

/// A value of a document, or none: what an object without the member answers. Valid until the document's next parse.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue(const JsonTape& tape, uint32_t index) : tape_(&tape), index_(index) {}

  [[nodiscard]] bool exists() const { return tape_ != nullptr; }
  [[nodiscard]] bool is(JsonKind kind) const { return exists() && this->kind() == kind; }
  /// False of a value that is not there.
  [[nodiscard]] bool is_null() const { return is(JsonKind::kNull); }
  /// Of a value that exists.
  [[nodiscard]] JsonKind kind() const { return (*tape_)[index_].kind; }
  /// "a string", "an object", "nothing": for messages.
  [[nodiscard]] const char* description() const { return exists() ? describe(kind()) : "nothing"; }
  /// A string's characters, unescaped, or a number as it was written; else empty.
  [[nodiscard]] std::string_view text() const {
    return is(JsonKind::kString) || is(JsonKind::kNumber) ? tape_->text(index_) : std::string_view();
  }
  /// Exactly as it was written.
  [[nodiscard]] std::string_view raw() const { return exists() ? tape_->raw(index_) : std::string_view(); }
  /// Members or elements.
  [[nodiscard]] uint32_t size() const { return is(JsonKind::kObject) || is(JsonKind::kArray) ? (*tape_)[index_].size : 0; }
  /// The member of an object: the last one of that name. None, where there is none or this is no object.
  [[nodiscard]] JsonValue operator[](std::string_view name) const {
    const uint32_t found = is(JsonKind::kObject) ? tape_->find(index_, name) : 0;
    return found == 0 ? JsonValue() : JsonValue(*tape_, found);
  }

  /// Walks the members of an object or the elements of an array, in order.
  template <class Item, uint32_t kTokensBefore>
  class Range {
   public:
    Range(const JsonTape* tape, uint32_t first, uint32_t count) : tape_(tape), at_(first), left_(count) {}
    [[nodiscard]] Range begin() const { return *this; }
    [[nodiscard]] Range end() const { return {tape_, 0, 0}; }
    bool operator!=(const Range& other) const { return left_ != other.left_; }
    Range& operator++() {
      at_ = (*tape_)[at_ + kTokensBefore].next;
      --left_;
      return *this;
    }
    Item operator*() const { return Item(*tape_, at_); }

   private:
    const JsonTape* tape_;
    uint32_t at_;
    uint32_t left_;
  };
  /// Of an object; nothing of anything else.
  [[nodiscard]] Range<JsonMember, 1> members() const { return {tape_, index_ + 1, is(JsonKind::kObject) ? size() : 0}; }
  /// Of an array; nothing of anything else.
  [[nodiscard]] Range<JsonValue, 0> elements() const { return {tape_, index_ + 1, is(JsonKind::kArray) ? size() : 0}; }

 private:
  const JsonTape* tape_ = nullptr;
  uint32_t index_ = 0;
};

struct JsonMember {
  JsonMember(const JsonTape& tape, uint32_t at) : name(tape.text(at)), value(tape, at + 1) {}
  std::string_view name;
  JsonValue value;
};

/// One JSON text at a time. Not thread-safe.
class JsonDocument {
 public:
  /// BAD_RECORD says what is wrong and at which byte. `text` must live as long as raw() is asked for; `what`: "value", "key".
  Status parse(std::string_view text, const char* what = "value") {
    if (parse_json(text, tape_)) return {};
    return Status::bad_record(std::string(what) + ": " + tape_.error().what + " (byte " + std::to_string(tape_.error().offset) + ")");
  }
  [[nodiscard]] JsonValue root() const { return {tape_, 0}; }
  /// After the last use of a text: what a large one took is given back, and its values are gone.
  void give_back_large() { tape_.give_back_large(); }

 private:
  JsonTape tape_;
};

/// A JSON value as it is: null, BOOL, I64, U64 or DECIMAL, STRING, JSON, ARRAY. One that is not there leaves the cell ABSENT.
inline Status set_value(cdcrt_cell& cell, const JsonValue& value, RowBuilder& rows) {
  if (!value.exists()) return {};
  switch (value.kind()) {
    case JsonKind::kNull: set_null(cell); return {};
    case JsonKind::kFalse:
    case JsonKind::kTrue: set_integer(cell, CDCRT_BOOL, value.is(JsonKind::kTrue) ? 1 : 0); return {};
    case JsonKind::kNumber:
      if (!set_number(cell, value.text(), rows)) return detail::refuse_text(value.text(), "a number that can be held");
      return {};
    case JsonKind::kString: set_text(cell, CDCRT_STRING, rows.copy(value.text())); return {};
    default: set_text(cell, value.is(JsonKind::kArray) ? CDCRT_ARRAY : CDCRT_JSON, rows.copy(value.raw())); return {};
  }
}

/// A JSON value as a cell of its column's declared type: strings and numbers as typed_text.hpp reads them. Of an unknown type: as it is.
inline Status set_value(cdcrt_cell& cell, cdcrt_type type, const JsonValue& value, RowBuilder& rows) {
  if (!value.exists() || value.is_null() || type.kind == CDCRT_TYPE_UNKNOWN) return set_value(cell, value, rows);
  if (type.kind == CDCRT_TYPE_JSON) {
    set_text(cell, CDCRT_JSON, rows.copy(value.raw()));
    return {};
  }
  if (value.is(JsonKind::kString) || value.is(JsonKind::kNumber)) return set_value(cell, type, value.text(), rows);
  if (value.is(JsonKind::kArray) ? type.kind == CDCRT_TYPE_ARRAY : type.kind == CDCRT_TYPE_BOOL && !value.is(JsonKind::kObject)) {
    return set_value(cell, value, rows);
  }
  if (type.kind == CDCRT_TYPE_STRING) return set_value(cell, type, value.raw(), rows);
  return Status::bad_record(std::string(value.description()) + " where the column's declared type wants another value");
}

}  // namespace cdcrt::sdk
