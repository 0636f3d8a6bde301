#include "cli/json_objects.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace cdcrt::cli {
namespace {

/// Collects members; what is not of the expected form ends the reading.
class ObjectsHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, ObjectsHandler> {
 public:
  ObjectsHandler(std::string_view text, const rapidjson::MemoryStream& stream, JsonObjects& into)
      : text_(text), stream_(stream), into_(into) {}

  bool StartArray() { return depth_ == 0 ? deeper() : value(JsonMember::Kind::kOther, {}); }
  bool EndArray(rapidjson::SizeType /*count*/) { return --depth_ == 0; }
  bool StartObject() {
    if (depth_ != 1) return value(JsonMember::Kind::kOther, {});
    // The parser calls before or behind the brace, by its kind.
    const std::size_t at = stream_.Tell();
    into_.objects.push_back({{}, at > 0 && text_[at - 1] == '{' ? at - 1 : at});
    return deeper();
  }
  bool EndObject(rapidjson::SizeType /*count*/) { return --depth_ == 1; }
  bool Key(const char* letters, rapidjson::SizeType size, bool /*copy*/) {
    JsonMember member;
    member.key.assign(letters, size);
    member.key_end = stream_.Tell();
    member.key_begin = begin_of_string(member.key_end);
    into_.objects.back().members.push_back(std::move(member));
    return true;
  }
  bool String(const char* letters, rapidjson::SizeType size, bool /*copy*/) {
    return value(JsonMember::Kind::kString, std::string(letters, size));
  }
  bool Bool(bool yes) { return value(JsonMember::Kind::kBoolean, yes ? "true" : "false"); }
  bool Default() { return value(JsonMember::Kind::kOther, {}); }

 private:
  bool deeper() {
    ++depth_;
    return true;
  }

  bool fail(const std::string& what) {
    into_.fault = JsonFault{stream_.Tell() == 0 ? 0 : stream_.Tell() - 1, what};
    return false;
  }

  bool value(JsonMember::Kind kind, std::string text) {
    if (depth_ == 0) return fail("a list [...] is expected here");
    if (depth_ == 1) return fail("an object {...} is expected here");
    JsonMember& member = into_.objects.back().members.back();
    member.kind = kind;
    member.value = std::move(text);
    member.value_end = stream_.Tell();
    member.value_begin = kind == JsonMember::Kind::kString ? begin_of_string(member.value_end) : begin_of_word(member.key_end);
    // What is inside of a list or an object here is nothing that anybody reads.
    if (kind == JsonMember::Kind::kOther && (text_[member.value_begin] == '[' || text_[member.value_begin] == '{')) {
      return fail("a text \"...\" is expected here");
    }
    return true;
  }

  /// Of the string that ends before `end`.
  [[nodiscard]] std::size_t begin_of_string(std::size_t end) const {
    for (std::size_t at = end - 1; at-- > 0;) {
      if (text_[at] != '"') continue;
      std::size_t backslashes = 0;
      while (backslashes < at && text_[at - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return at;
    }
    return 0;
  }
  /// Behind a key and its colon.
  [[nodiscard]] std::size_t begin_of_word(std::size_t at) const {
    while (at < text_.size() && (text_[at] == ':' || text_[at] == ' ' || text_[at] == '\t' || text_[at] == '\n' || text_[at] == '\r')) ++at;
    return at;
  }

  const std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  JsonObjects& into_;
  int depth_ = 0;
};

}  // namespace

JsonObjects read_json_objects(std::string_view text) {
  JsonObjects read;
  rapidjson::MemoryStream stream(text.data(), text.size());
  ObjectsHandler handler(text, stream, read);
  rapidjson::Reader reader;
  const auto result = reader.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(stream, handler);
  if (result.IsError() && !read.fault) read.fault = JsonFault{result.Offset(), rapidjson::GetParseError_En(result.Code())};
  return read;
}

}  // namespace cdcrt::cli
