#include "cli/properties_text.hpp"

#include <algorithm>
#include <optional>

#include "diagnostics/codes.hpp"
#include "diagnostics/source_texts.hpp"

namespace cdcrt::cli {
namespace {

constexpr const char* kLineHelp =
    "a line is key = value; a value that goes on in the next line ends with '\\', behind which nothing may stand, not even a comment";

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\f'; }
bool is_line_end(char letter) { return letter == '\n' || letter == '\r'; }

bool is_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_' ||
           letter == '-' || letter == '.';
  });
}

void append_utf8(std::string& text, char32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class PropertiesReader {
 public:
  explicit PropertiesReader(Findings& file) : file_(file), text_(file.text()) {}

  std::vector<Property> read() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    while (at_ < text_.size()) {
      if (is_blank(text_[at_]) || is_line_end(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '#' || text_[at_] == '!') {
        while (at_ < text_.size() && !is_line_end(text_[at_])) ++at_;
      } else {
        read_line();
        take_property();
      }
    }
    return std::move(properties_);
  }

 private:
  struct Byte {
    char value;
    std::size_t origin;
    bool escaped;
  };

  /// A line and those that continue it, escapes resolved.
  void read_line() {
    line_.clear();
    begin_ = at_;
    while (at_ < text_.size() && !is_line_end(text_[at_])) {
      if (text_[at_] != '\\') {
        line_.push_back({text_[at_], at_, false});
        ++at_;
      } else if (at_ + 1 == text_.size()) {
        ++at_;
      } else if (is_line_end(text_[at_ + 1])) {
        at_ += text_.substr(at_ + 1, 2) == "\r\n" ? 3 : 2;
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
      } else {
        read_escape();
      }
    }
    end_ = at_;
  }

  void read_escape() {
    const std::size_t origin = at_;
    const char letter = text_[at_ + 1];
    std::string meant;
    if (letter == 'u') {
      auto code = unit(at_);
      at_ += 2;
      if (code) at_ += 4;
      if (code && *code >= 0xD800 && *code < 0xDC00) {
        const auto low = unit(at_);
        if (low && *low >= 0xDC00 && *low < 0xE000) {
          code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
          at_ += 6;
        }
      }
      if (!code || (*code >= 0xD800 && *code < 0xE000)) {
        file_.error(diagnostics::kBrokenProperties, {origin, at_},
                    code ? "half of a character: a surrogate without its other half" : "'\\u' without four hexadecimal digits",
                    "write \\\\ where a backslash is meant");
        return;
      }
      append_utf8(meant, *code);
    } else {
      at_ += 2;
      meant = letter == 't' ? '\t' : letter == 'n' ? '\n' : letter == 'r' ? '\r' : letter == 'f' ? '\f' : letter;
    }
    for (const char byte : meant) line_.push_back({byte, origin, true});
  }

  /// The number of a \uXXXX that stands at `at`.
  [[nodiscard]] std::optional<char32_t> unit(std::size_t at) const {
    if (at + 6 > text_.size() || text_.substr(at, 2) != "\\u") return std::nullopt;
    char32_t code = 0;
    for (const char letter : text_.substr(at + 2, 4)) {
      const int digit = letter >= '0' && letter <= '9'   ? letter - '0'
                        : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
                        : letter >= 'A' && letter <= 'F' ? letter - 'A' + 10
                                                         : -1;
      if (digit < 0) return std::nullopt;
      code = code * 16 + static_cast<char32_t>(digit);
    }
    return code;
  }

  void take_property() {
    const auto blank = [](const Byte& byte) { return !byte.escaped && is_blank(byte.value); };
    const auto sign = [](const Byte& byte) { return !byte.escaped && (byte.value == '=' || byte.value == ':'); };
    std::size_t at = 0;
    Property property;
    for (; at < line_.size() && !blank(line_[at]) && !sign(line_[at]); ++at) property.key += line_[at].value;
    property.key_span = {begin_, at < line_.size() ? line_[at].origin : end_};
    while (at < line_.size() && blank(line_[at])) ++at;
    const bool has_sign = at < line_.size() && sign(line_[at]);
    if (has_sign) ++at;
    while (at < line_.size() && blank(line_[at])) ++at;
    std::size_t last = line_.size();
    while (last > at && blank(line_[last - 1])) --last;
    const std::size_t value_begin = at < line_.size() ? line_[at].origin : end_;
    for (; at < last; ++at) {
      property.value += line_[at].value;
      property.origins.push_back(line_[at].origin);
    }
    property.origins.push_back(property.origins.empty() ? value_begin : property.origins.back() + 1);
    if (diagnostics::names_a_secret(property.key)) file_.mask({value_begin, end_});
    if (!is_key(property.key) || (!has_sign && property.value.empty())) {
      // Half of a line that was cut in two may be the secret itself; a piece of JSON is none.
      if (std::string_view("{}[],\"").find(text_[begin_]) == std::string_view::npos) file_.mask({begin_, end_});
      // One line that is out of place makes those behind it so.
      if (!broken_) {
        file_.error(diagnostics::kBrokenProperties, {begin_, end_}, is_key(property.key) ? "a line without '='" : "this is not key = value",
                    kLineHelp);
      }
      broken_ = true;
      return;
    }
    broken_ = false;
    properties_.push_back(std::move(property));
  }

  Findings& file_;
  const std::string_view text_;
  std::size_t at_ = 0, begin_ = 0, end_ = 0;  // of the file; of the line that was read
  std::vector<Byte> line_;
  bool broken_ = false;
  std::vector<Property> properties_;
};

}  // namespace

Span Property::span(std::size_t begin, std::size_t end) const {
  begin = std::min(begin, origins.size() - 1);
  if (end <= begin || end > value.size()) return {origins[begin], origins[begin] + 1};
  return {origins[begin], origins[end - 1] + 1};
}

std::vector<Property> read_properties(Findings& file) { return PropertiesReader(file).read(); }

}  // namespace cdcrt::cli
