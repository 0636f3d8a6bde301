// JsonTape: one JSON text as a flat list of tokens that keeps numbers as they were written. Header-only, C++17.
//
// What a text is parsed with, and a view that is easier to read, stand in json.hpp: only who includes that needs RapidJSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/sdk/json_scan.hpp"

namespace cdcrt::sdk {

enum class JsonKind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kObject, kArray };

/// "a string", "an object": for messages.
constexpr const char* describe(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull: return "null";
    case JsonKind::kFalse:
    case JsonKind::kTrue: return "a boolean";
    case JsonKind::kNumber: return "a number";
    case JsonKind::kString: return "a string";
    case JsonKind::kObject: return "an object";
    case JsonKind::kArray: return "an array";
  }
  return "an unknown value";
}

/// An object is followed by its members, each a name (kString) and a value; an array by its elements.
struct JsonToken {
  const char* data;  ///< kString: unescaped; kNumber: as written; containers: their opening bracket; else nullptr
  uint32_t size;     ///< bytes of a string or number; members or elements of a container
  uint32_t next;     ///< index of the token after this value and all that is inside
  JsonKind kind;
};

/// Why a text is not JSON (or not JSON that is accepted), and where.
struct JsonError {
  std::size_t offset = 0;  ///< bytes from the begin of the text
  std::string what;
};

/// Not thread-safe; reused from text to text without allocating. What tokens point to lives until the next parse.
class JsonTape {
 public:
  static constexpr uint32_t kMaximumDepth = 200;       ///< nesting beyond it is refused: the parser recurses
  static constexpr uint32_t kMaximumTokens = 1 << 20;  ///< bounds the memory of one message
  JsonTape() = default;
  JsonTape(const JsonTape&) = delete;
  JsonTape& operator=(const JsonTape&) = delete;

  /// What a large text took is given back; what tokens point to is gone then.
  void give_back_large() {
    if (scratch_bytes_ > kKeptScratch) {
      scratch_.reset();
      scratch_bytes_ = 0;
    }
    if (capacity_ > kKeptTokens) {
      tokens_.reset();
      capacity_ = count_ = 0;
    }
  }

  /// Of the latest parse_json that answered false.
  [[nodiscard]] const JsonError& error() const { return error_; }

  [[nodiscard]] const JsonToken& operator[](uint32_t index) const { return tokens_[index]; }
  [[nodiscard]] uint32_t size() const { return count_; }
  /// Of a string or number.
  [[nodiscard]] std::string_view text(uint32_t index) const { return {tokens_[index].data, tokens_[index].size}; }
  /// Index of the value of the member `name`; 0 when the object has none. The last one counts when there are several.
  [[nodiscard]] uint32_t find(uint32_t object, std::string_view name) const {
    uint32_t found = 0;
    uint32_t at = object + 1;
    for (uint32_t i = 0; i < tokens_[object].size; ++i) {
      if (text(at) == name) found = at + 1;
      at = tokens_[at + 1].next;
    }
    return found;
  }
  /// Bytes from the begin of the text to a string's content, a number or a bracket.
  [[nodiscard]] std::size_t offset(uint32_t index) const { return static_cast<std::size_t>(tokens_[index].data - scratch_.get()); }
  /// The member's value exactly as it was written; `name`: index of its name.
  [[nodiscard]] std::string_view raw_value(uint32_t name) const {
    std::size_t at = skip_json_string(source_, offset(name) - 1);
    at = skip_json_space(source_, at);
    at = skip_json_space(source_, at + 1);
    return source_.substr(at, skip_json_value(source_, at) - at);
  }
  /// Any value exactly as it was written.
  [[nodiscard]] std::string_view raw(uint32_t index) const {
    switch (tokens_[index].kind) {
      case JsonKind::kNull: return "null";
      case JsonKind::kFalse: return "false";
      case JsonKind::kTrue: return "true";
      case JsonKind::kNumber: return text(index);
      default: break;
    }
    const std::size_t begin = tokens_[index].kind == JsonKind::kString ? offset(index) - 1 : offset(index);
    return source_.substr(begin, skip_json_value(source_, begin) - begin);
  }

 private:
  friend class JsonParser;       // json_parse.hpp
  friend struct JsonHandler;     // json_handler.hpp
  friend class JsonQuickParser;  // json_quick.hpp

  static constexpr std::size_t kKeptScratch = 4 << 20;
  static constexpr uint32_t kKeptTokens = 64 << 10;

  /// Makes room for more than `count` tokens, which stay. False: they are as many as there may be.
  bool grow(uint32_t count) {
    if (capacity_ >= kMaximumTokens) return false;
    const uint32_t wanted = capacity_ < 512 ? 1024 : capacity_ * 2;
    auto larger = std::make_unique<JsonToken[]>(wanted);
    if (count != 0) std::memcpy(static_cast<void*>(larger.get()), tokens_.get(), count * sizeof(JsonToken));
    tokens_ = std::move(larger);
    capacity_ = wanted;
    return true;
  }

  std::unique_ptr<char[]> scratch_;
  std::size_t scratch_bytes_ = 0;
  std::unique_ptr<JsonToken[]> tokens_;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
  std::string_view source_;
  JsonError error_;
};

}  // namespace cdcrt::sdk
