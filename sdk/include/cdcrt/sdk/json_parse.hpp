// parse_json: a JSON text into a JsonTape, quickly or through RapidJSON. Header-only, C++17; needs RapidJSON. A large format calls it from
// one small source file: compilers inline the whole parser there only (measured: a sixth of decoding).
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/sdk/decimal.hpp"
#include "cdcrt/sdk/json_handler.hpp"
#include "cdcrt/sdk/json_quick.hpp"
#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::sdk {

/// One parse of one text.
class JsonParser {
 public:
  JsonParser(std::string_view text, JsonTape& tape) : text_(text), tape_(tape) {}

  bool run() {
    if (!begin()) return false;
    if (JsonQuickParser(tape_, text_.size()).run()) return true;
    copy_text();
    return parse_copy();
  }
  /// The same without the quick parser, which must make no difference.
  bool run_whole() { return begin() && parse_copy(); }

 private:
  static constexpr std::size_t kPadding = 64;
  static constexpr std::size_t kMaximumBytes = 1 << 30;
  static constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseNanAndInfFlag;

  bool begin() {
    tape_.source_ = text_;
    if (text_.size() > kMaximumBytes) return fail(0, "larger than 1 GiB");
    const std::size_t bad = find_invalid_utf8(text_);
    if (bad != std::string_view::npos) return fail(bad, "invalid UTF-8");
    reserve_scratch(text_.size() + kPadding);
    copy_text();
    std::memset(tape_.scratch_.get() + text_.size(), 0, kPadding);
    return true;
  }

  void copy_text() {
    if (!text_.empty()) std::memcpy(tape_.scratch_.get(), text_.data(), text_.size());
  }

  bool fail(std::size_t offset, std::string what) {
    tape_.error_.offset = offset;
    tape_.error_.what = std::move(what);
    return false;
  }

  void reserve_scratch(std::size_t bytes) {
    // One huge message must not keep its memory for ever.
    const bool oversized = tape_.scratch_bytes_ > JsonTape::kKeptScratch && bytes < JsonTape::kKeptScratch;
    if (bytes > tape_.scratch_bytes_ || oversized) {
      tape_.scratch_.reset();
      tape_.scratch_bytes_ = bytes < 16384 ? 16384 : bytes;
      tape_.scratch_.reset(new char[tape_.scratch_bytes_]);
    }
    if (tape_.capacity_ > JsonTape::kKeptTokens && tape_.count_ < JsonTape::kKeptTokens / 4) {
      tape_.tokens_.reset();
      tape_.capacity_ = 0;
    }
  }

  bool parse_copy() {
    bool shortened = false;
    while (true) {
      rapidjson::InsituStringStream stream(tape_.scratch_.get());
      rapidjson::Reader reader;
      JsonHandler handler(tape_, stream);
      const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
      tape_.count_ = handler.count;
      if (!result.IsError()) {
        if (stream.Tell() != text_.size()) return fail(stream.Tell(), "a NUL byte outside a string");
        break;
      }
      if (handler.too_deep) return fail(result.Offset(), "nested deeper than " + std::to_string(JsonTape::kMaximumDepth) + " levels");
      if (handler.too_many) {
        return fail(result.Offset(), "more than " + std::to_string(JsonTape::kMaximumTokens) + " JSON values in one message");
      }
      // RapidJSON refuses numbers that no double holds, although it is only asked for their text.
      if (result.Code() == rapidjson::kParseErrorNumberTooBig && !shortened) {
        copy_text();
        if (!shorten_long_numbers()) return false;
        shortened = true;
        continue;
      }
      if (result.Offset() >= text_.size()) return fail(text_.size(), "the JSON text ends too early (truncated?)");
      std::string what = rapidjson::GetParseError_En(result.Code());
      if (!what.empty() && what.back() == '.') what.pop_back();
      return fail(result.Offset(), "not JSON: " + what);
    }
    if (shortened) restore_long_numbers();
    return check_surrogates();
  }

  static std::size_t number_end(std::string_view text, std::size_t begin) {
    while (begin < text.size() &&
           (detail::is_digit(text[begin]) || std::string_view("-+.eE").find(text[begin]) != std::string_view::npos)) {
      ++begin;
    }
    return begin;
  }

  bool shorten_long_numbers() {
    for (std::size_t i = 0; i < text_.size();) {
      if (text_[i] == '"') {
        i = skip_json_value(text_, i);
        if (i == std::string_view::npos) return fail(text_.size(), "the JSON text ends too early (truncated?)");
        continue;
      }
      if (!detail::is_digit(text_[i]) && text_[i] != '-') {
        ++i;
        continue;
      }
      const std::size_t end = number_end(text_, i);
      const std::string_view number = text_.substr(i, end - i);
      if (number.size() > 15 || number.find_first_of("eE") != std::string_view::npos) {
        if (!is_json_number(number)) return fail(i, "not JSON: malformed number");
        tape_.scratch_[i] = '0';
        std::memset(tape_.scratch_.get() + i + 1, ' ', number.size() - 1);
      }
      i = end;
    }
    return true;
  }

  void restore_long_numbers() {
    for (uint32_t i = 0; i < tape_.count_; ++i) {
      JsonToken& token = tape_.tokens_[i];
      if (token.kind != JsonKind::kNumber || !(token.size == 1 && *token.data == '0')) continue;
      const std::size_t begin = tape_.offset(i);
      const std::size_t end = number_end(text_, begin);
      std::memcpy(tape_.scratch_.get() + begin, text_.data() + begin, end - begin);
      token.size = static_cast<uint32_t>(end - begin);
    }
  }

  bool check_surrogates() {
    // RapidJSON lets a lone low surrogate escape (\udc00) through; no character of valid input encodes like one.
    if (text_.find("\\u") == std::string_view::npos) return true;
    for (uint32_t i = 0; i < tape_.count_; ++i) {
      if (tape_.tokens_[i].kind != JsonKind::kString) continue;
      if (!is_utf8(tape_.text(i))) return fail(tape_.offset(i), "a lone surrogate in a \\u escape");
    }
    return true;
  }

  const std::string_view text_;
  JsonTape& tape_;
};

/// Parses a private copy of `text` in place, which must live as long as raw values are asked for. False: see tape.error().
inline bool parse_json(std::string_view text, JsonTape& tape) { return JsonParser(text, tape).run(); }

}  // namespace cdcrt::sdk
