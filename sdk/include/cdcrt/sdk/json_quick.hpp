// JsonQuickParser: what nearly every JSON text looks like, into a JsonTape in one pass. Header-only, C++17.
//
// It accepts nothing that the whole parser (json_parse.hpp) refuses, and makes the same tokens. What it does not know (\u escapes, deep
// nesting, anything that is no JSON) it leaves to that one, which also words the errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "cdcrt/sdk/json_scan.hpp"
#include "cdcrt/sdk/json_tape.hpp"

namespace cdcrt::sdk {

/// One parse of a text that stands in the tape's scratch, followed by 16 NUL bytes at least.
class JsonQuickParser {
 public:
  JsonQuickParser(JsonTape& tape, std::size_t size)
      : tape_(tape), begin_(tape.scratch_.get()), end_(begin_ + size), tokens_(tape.tokens_.get()), capacity_(tape.capacity_) {}

  /// False: it is left to the whole parser; the scratch was changed.
  bool run() {
    char* at = skip_space(begin_);
    while (true) {
      at = *at == '{' || *at == '[' ? open(at) : scalar(at);
      if (at == nullptr) return false;
      if (begins_value_) continue;
      while (true) {  // behind a value
        at = skip_space(at);
        if (depth_ == 0) break;
        Open& inside = open_[depth_ - 1];
        if (*at == ',') {
          ++inside.count;
          at = skip_space(at + 1);
          if (inside.closing == '}') at = name(at);
          break;
        }
        if (*at != inside.closing) return false;
        close(inside.count + 1);
        ++at;
      }
      if (at == nullptr) return false;
      if (depth_ == 0) break;
    }
    tape_.count_ = count_;
    return at == end_;
  }

 private:
  static constexpr uint32_t kDeepest = 32;
  struct Open {
    uint32_t token, count;  // count: members or elements before the one that is read
    char closing;
  };

  static char* skip_space(char* at) {
    while (is_json_space(*at)) ++at;
    return at;
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static char* skip_digits(char* at) {
    while (is_digit(*at)) ++at;
    return at;
  }

  bool add(JsonKind kind, const char* data, std::size_t size) {
    if (count_ == capacity_) {
      if (!tape_.grow(count_)) return false;
      tokens_ = tape_.tokens_.get();
      capacity_ = tape_.capacity_;
    }
    tokens_[count_] = JsonToken{data, static_cast<uint32_t>(size), count_ + 1, kind};
    ++count_;
    return true;
  }

  /// Behind the bracket, at the first value, or, where there is none, behind the closing one.
  char* open(char* at) {
    begins_value_ = false;
    const bool is_object = *at == '{';
    if (depth_ == kDeepest) return nullptr;
    open_[depth_++] = {count_, 0, is_object ? '}' : ']'};
    if (!add(is_object ? JsonKind::kObject : JsonKind::kArray, at, 0)) return nullptr;
    at = skip_space(at + 1);
    if (*at == open_[depth_ - 1].closing) {
      close(0);
      return at + 1;
    }
    begins_value_ = true;
    return is_object ? name(at) : at;
  }
  void close(uint32_t size) {
    JsonToken& token = tokens_[open_[--depth_].token];
    token.size = size;
    token.next = count_;
  }

  /// A member's name; at its value then.
  char* name(char* at) {
    if (*at != '"') return nullptr;
    at = string(at);
    if (at == nullptr) return nullptr;
    at = skip_space(at);
    return *at == ':' ? skip_space(at + 1) : nullptr;
  }

  char* scalar(char* at) {
    begins_value_ = false;
    switch (*at) {
      case '"': return string(at);
      case 'n': return word(at, "null", 4, JsonKind::kNull);
      case 't': return word(at, "true", 4, JsonKind::kTrue);
      case 'f': return word(at, "false", 5, JsonKind::kFalse);
      default: return number(at);
    }
  }
  char* word(char* at, const char* text, std::size_t size, JsonKind kind) {
    return std::memcmp(at, text, size) == 0 && add(kind, nullptr, 0) ? at + size : nullptr;
  }
  char* number(char* begin) {
    char* at = begin;
    if (*at == '-') ++at;
    if (!is_digit(*at)) return nullptr;
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (*at == '.') {
      if (!is_digit(at[1])) return nullptr;
      at = skip_digits(at + 1);
    }
    if (*at == 'e' || *at == 'E') {
      ++at;
      if (*at == '+' || *at == '-') ++at;
      if (!is_digit(*at)) return nullptr;
      at = skip_digits(at);
    }
    return add(JsonKind::kNumber, begin, static_cast<std::size_t>(at - begin)) ? at : nullptr;
  }

  /// The next quote, backslash or control character; NUL bytes stand behind the text.
  static char* skip_plain(char* at) {
#ifdef __SSE2__
    while (true) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
      const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
      const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
      const int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls));
      if (found != 0) return at + __builtin_ctz(static_cast<unsigned>(found));
      at += 16;
    }
#else
    while (*at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
    return at;
#endif
  }
  static char unescaped(char c) {
    if (c == '"' || c == '\\' || c == '/') return c;
    switch (c) {
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      default: return '\0';
    }
  }
  char* string(char* quote) {
    char* const begin = quote + 1;
    char* at = skip_plain(begin);
    char* to = at;
    while (*at == '\\') {
      const char plain = unescaped(at[1]);
      if (plain == 0) return nullptr;
      *to++ = plain;
      at += 2;
      char* const next = skip_plain(at);
      std::memmove(to, at, static_cast<std::size_t>(next - at));
      to += next - at;
      at = next;
    }
    return *at == '"' && add(JsonKind::kString, begin, static_cast<std::size_t>(to - begin)) ? at + 1 : nullptr;
  }

  JsonTape& tape_;
  char* const begin_;
  char* const end_;
  JsonToken* tokens_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  uint32_t depth_ = 0;
  bool begins_value_ = false;  // what was read last opened something that is not empty
  Open open_[kDeepest];
};

}  // namespace cdcrt::sdk
