#include "debezium/json_tape.hpp"

// RapidJSON reads 16 bytes at a time, always within an aligned block: the scratch is padded for it.
#if defined(__SSE2__)
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <cstring>

#include "debezium/json_scan.hpp"

namespace cdcrt::debezium {

namespace {

constexpr std::size_t kPadding = 64;
constexpr std::size_t kMaximumBytes = 1 << 30;
constexpr std::size_t kKeptScratch = 4 << 20;
constexpr uint32_t kKeptTokens = 64 << 10;
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseNanAndInfFlag;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number_character(char c) { return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

/// JSON's grammar of numbers.
bool is_number(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t first = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

std::size_t number_end(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_number_character(text[begin])) ++begin;
  return begin;
}

}  // namespace

const char* describe(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kFalse:
    case Kind::kTrue:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "an array";
  }
  return "an unknown value";
}

struct JsonTape::Handler {
  explicit Handler(JsonTape& owner) : tape(owner), tokens(owner.tokens_.get()), capacity(owner.capacity_) {}

  bool add(Kind kind, const char* data, uint32_t size) {
    if (count == capacity && !grow()) return false;
    tokens[count] = Token{data, size, count + 1, kind};
    ++count;
    return true;
  }
  bool grow() {
    if (capacity >= kMaximumTokens) {
      too_many = true;
      return false;
    }
    const uint32_t wanted = capacity < 512 ? 1024 : capacity * 2;
    auto larger = std::make_unique<Token[]>(wanted);
    if (count != 0) std::memcpy(static_cast<void*>(larger.get()), tokens, count * sizeof(Token));
    tape.tokens_ = std::move(larger);
    tape.capacity_ = capacity = wanted;
    tokens = tape.tokens_.get();
    return true;
  }
  bool open_container(Kind kind) {
    if (depth == kMaximumDepth) {
      too_deep = true;
      return false;
    }
    open[depth++] = count;
    return add(kind, nullptr, 0);
  }
  bool close_container(uint32_t size) {
    Token& token = tokens[open[--depth]];
    token.size = size;
    token.next = count;
    return true;
  }

  bool Null() { return add(Kind::kNull, nullptr, 0); }
  bool Bool(bool value) { return add(value ? Kind::kTrue : Kind::kFalse, nullptr, 0); }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char* data, rapidjson::SizeType size, bool) { return add(Kind::kNumber, data, size); }
  bool String(const char* data, rapidjson::SizeType size, bool) { return add(Kind::kString, data, size); }
  bool Key(const char* data, rapidjson::SizeType size, bool) { return add(Kind::kString, data, size); }
  bool StartObject() { return open_container(Kind::kObject); }
  bool EndObject(rapidjson::SizeType members) { return close_container(members); }
  bool StartArray() { return open_container(Kind::kArray); }
  bool EndArray(rapidjson::SizeType elements) { return close_container(elements); }

  JsonTape& tape;
  Token* tokens;
  uint32_t capacity;
  uint32_t count = 0;
  uint32_t depth = 0;
  bool too_deep = false;
  bool too_many = false;
  uint32_t open[kMaximumDepth];
};

JsonTape::JsonTape() = default;
JsonTape::~JsonTape() = default;

void JsonTape::reserve_scratch(std::size_t bytes) {
  // One huge message must not keep its memory for ever.
  const bool oversized = scratch_bytes_ > kKeptScratch && bytes < kKeptScratch;
  if (bytes > scratch_bytes_ || oversized) {
    scratch_.reset();
    scratch_bytes_ = bytes < 16384 ? 16384 : bytes;
    scratch_.reset(new char[scratch_bytes_]);
  }
  if (capacity_ > kKeptTokens && count_ < kKeptTokens / 4) {
    tokens_.reset();
    capacity_ = 0;
  }
}

bool JsonTape::fail(std::size_t offset, std::string what) {
  error_.offset = offset;
  error_.what = std::move(what);
  return false;
}

bool JsonTape::parse(std::string_view text) {
  source_ = text;
  if (text.size() > kMaximumBytes) return fail(0, "larger than 1 GiB");
  const std::size_t bad = find_invalid_utf8(text);
  if (bad != std::string_view::npos) return fail(bad, "invalid UTF-8");
  reserve_scratch(text.size() + kPadding);
  std::memcpy(scratch_.get(), text.data(), text.size());
  std::memset(scratch_.get() + text.size(), 0, kPadding);
  return parse_copy(text);
}

bool JsonTape::parse_copy(std::string_view text) {
  bool shortened = false;
  while (true) {
    rapidjson::InsituStringStream stream(scratch_.get());
    rapidjson::Reader reader;
    Handler handler(*this);
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
    count_ = handler.count;
    if (!result.IsError()) {
      if (stream.Tell() != text.size()) return fail(stream.Tell(), "a NUL byte outside a string");
      break;
    }
    if (handler.too_deep) return fail(result.Offset(), "nested deeper than " + std::to_string(kMaximumDepth) + " levels");
    if (handler.too_many) return fail(result.Offset(), "more than " + std::to_string(kMaximumTokens) + " JSON values in one message");
    // RapidJSON refuses numbers that no double holds, although it is only asked for their text.
    if (result.Code() == rapidjson::kParseErrorNumberTooBig && !shortened) {
      std::memcpy(scratch_.get(), text.data(), text.size());
      if (!shorten_long_numbers(text)) return false;
      shortened = true;
      continue;
    }
    if (result.Offset() >= text.size()) return fail(text.size(), "the JSON text ends too early (truncated?)");
    std::string what = rapidjson::GetParseError_En(result.Code());
    if (!what.empty() && what.back() == '.') what.pop_back();
    return fail(result.Offset(), "not JSON: " + what);
  }
  if (shortened) restore_long_numbers();
  return check_surrogates();
}

bool JsonTape::shorten_long_numbers(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = skip_value(text, i);
      if (i == std::string_view::npos) return fail(text.size(), "the JSON text ends too early (truncated?)");
      continue;
    }
    if (!is_digit(text[i]) && text[i] != '-') {
      ++i;
      continue;
    }
    const std::size_t end = number_end(text, i);
    const std::string_view number = text.substr(i, end - i);
    if (number.size() > 15 || number.find_first_of("eE") != std::string_view::npos) {
      if (!is_number(number)) return fail(i, "not JSON: malformed number");
      scratch_[i] = '0';
      std::memset(scratch_.get() + i + 1, ' ', number.size() - 1);
    }
    i = end;
  }
  return true;
}

void JsonTape::restore_long_numbers() {
  for (uint32_t i = 0; i < count_; ++i) {
    Token& token = tokens_[i];
    if (token.kind != Kind::kNumber || !(token.size == 1 && *token.data == '0')) continue;
    const std::size_t begin = offset(i);
    const std::size_t end = number_end(source_, begin);
    std::memcpy(scratch_.get() + begin, source_.data() + begin, end - begin);
    token.size = static_cast<uint32_t>(end - begin);
  }
}

bool JsonTape::check_surrogates() {
  // RapidJSON lets a lone low surrogate escape (\udc00) through; no character of valid input encodes like one.
  if (source_.find("\\u") == std::string_view::npos) return true;
  for (uint32_t i = 0; i < count_; ++i) {
    if (tokens_[i].kind != Kind::kString) continue;
    const std::size_t bad = find_invalid_utf8(text(i));
    if (bad != std::string_view::npos) return fail(offset(i), "a lone surrogate in a \\u escape");
  }
  return true;
}

uint32_t JsonTape::find(uint32_t object, std::string_view name) const {
  uint32_t found = 0;
  uint32_t at = object + 1;
  for (uint32_t i = 0; i < tokens_[object].size; ++i) {
    if (text(at) == name) found = at + 1;
    at = tokens_[at + 1].next;
  }
  return found;
}

std::string_view JsonTape::raw_value(uint32_t name) const {
  std::size_t at = skip_value(source_, offset(name) - 1);
  at = skip_space(source_, at);
  at = skip_space(source_, at + 1);
  return source_.substr(at, skip_value(source_, at) - at);
}

}  // namespace cdcrt::debezium
