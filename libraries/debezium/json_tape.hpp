// JsonTape: one JSON text as a flat list of tokens, so that a decoder can look at the end of an event before its beginning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::debezium {

enum class Kind : uint8_t { kNull, kFalse, kTrue, kNumber, kString, kObject, kArray };

/// "a string", "an object": for messages.
const char* describe(Kind kind);

/// An object is followed by its members, each a name (kString) and a value; an array by its elements.
struct Token {
  const char* data;  ///< kString: unescaped; kNumber: as written; else nullptr
  uint32_t size;     ///< bytes of `data`; members or elements of a container
  uint32_t next;     ///< index of the token after this value and all that is inside
  Kind kind;
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
  JsonTape();
  ~JsonTape();
  JsonTape(const JsonTape&) = delete;
  JsonTape& operator=(const JsonTape&) = delete;

  /// Parses a private copy in place. `text` must live as long as raw() is asked. False: see error().
  bool parse(std::string_view text);
  [[nodiscard]] const JsonError& error() const { return error_; }

  [[nodiscard]] const Token& operator[](uint32_t index) const { return tokens_[index]; }
  [[nodiscard]] uint32_t size() const { return count_; }
  [[nodiscard]] std::string_view text(uint32_t index) const { return {tokens_[index].data, tokens_[index].size}; }
  /// Index of the value of the member `name`; 0 when the object has none. The last one counts when there are several.
  [[nodiscard]] uint32_t find(uint32_t object, std::string_view name) const;
  /// Bytes from the begin of the text to a string's content or a number.
  [[nodiscard]] std::size_t offset(uint32_t index) const { return static_cast<std::size_t>(tokens_[index].data - scratch_.get()); }
  /// The member's value exactly as it was written; `name`: index of its name.
  [[nodiscard]] std::string_view raw_value(uint32_t name) const;

 private:
  struct Handler;
  bool parse_copy(std::string_view text);
  bool shorten_long_numbers(std::string_view text);
  bool fail(std::size_t offset, std::string what);
  void reserve_scratch(std::size_t bytes);
  void restore_long_numbers();
  bool check_surrogates();

  std::unique_ptr<char[]> scratch_;
  std::size_t scratch_bytes_ = 0;
  std::unique_ptr<Token[]> tokens_;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
  std::string_view source_;
  JsonError error_;
};

}  // namespace cdcrt::debezium
