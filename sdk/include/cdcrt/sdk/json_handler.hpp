// What RapidJSON calls while it parses into a JsonTape. Header-only, C++17.
#pragma once

// RapidJSON reads 16 bytes at a time, always within an aligned block: the scratch is padded for it.
#if defined(__SSE2__) && !defined(RAPIDJSON_SSE2)
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <cstdint>

#include "cdcrt/sdk/json_tape.hpp"

namespace cdcrt::sdk {

/// One parse. Numbers come as text (kParseNumbersAsStringsFlag).
struct JsonHandler {
  JsonHandler(JsonTape& owner, const rapidjson::InsituStringStream& input)
      : tape(owner), stream(input), tokens(owner.tokens_.get()), capacity(owner.capacity_) {}

  bool add(JsonKind kind, const char* data, uint32_t size) {
    if (count == capacity && !grow()) return false;
    tokens[count] = JsonToken{data, size, count + 1, kind};
    ++count;
    return true;
  }
  bool grow() {
    if (!tape.grow(count)) {
      too_many = true;
      return false;
    }
    capacity = tape.capacity_;
    tokens = tape.tokens_.get();
    return true;
  }
  bool open_container(JsonKind kind) {
    if (depth == JsonTape::kMaximumDepth) {
      too_deep = true;
      return false;
    }
    open[depth++] = count;
    return add(kind, stream.src_ - 1, 0);
  }
  bool close_container(uint32_t size) {
    JsonToken& token = tokens[open[--depth]];
    token.size = size;
    token.next = count;
    return true;
  }

  bool Null() { return add(JsonKind::kNull, nullptr, 0); }
  bool Bool(bool value) { return add(value ? JsonKind::kTrue : JsonKind::kFalse, nullptr, 0); }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* data, rapidjson::SizeType size, bool) { return add(JsonKind::kNumber, data, size); }
  bool String(const char* data, rapidjson::SizeType size, bool) { return add(JsonKind::kString, data, size); }
  bool Key(const char* data, rapidjson::SizeType size, bool) { return add(JsonKind::kString, data, size); }
  bool StartObject() { return open_container(JsonKind::kObject); }
  bool EndObject(rapidjson::SizeType members) { return close_container(members); }
  bool StartArray() { return open_container(JsonKind::kArray); }
  bool EndArray(rapidjson::SizeType elements) { return close_container(elements); }

  JsonTape& tape;
  const rapidjson::InsituStringStream& stream;
  JsonToken* tokens;
  uint32_t capacity;
  uint32_t count = 0;
  uint32_t depth = 0;
  bool too_deep = false;
  bool too_many = false;
  uint32_t open[JsonTape::kMaximumDepth];
};

}  // namespace cdcrt::sdk
