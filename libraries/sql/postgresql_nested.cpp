#include "sql/postgresql_nested.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/json_text.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/json_reader.hpp"
#include "sql/postgresql_array.hpp"

namespace cdcrt::sql {
namespace {

using sdk::Status;

constexpr int kMaxDimensions = 6;

bool is_temporal(uint8_t kind) {
  return kind == CDCRT_TYPE_DATE || kind == CDCRT_TYPE_TIME || kind == CDCRT_TYPE_TIMESTAMP || kind == CDCRT_TYPE_TIMESTAMPTZ;
}

/// A moment's text without the digits past its microseconds; the text itself where it has none.
std::string to_the_microsecond(std::string_view text) {
  const auto point = text.find('.');
  std::string cut(text.substr(0, point));
  if (point == std::string_view::npos) return cut;
  std::size_t end = point + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  cut += text.substr(point, std::min<std::size_t>(end - point, 7));
  cut += text.substr(end);
  return cut;
}

/// A date or time as it is written in JSON, of that kind.
bool parse_moment(std::string_view text, uint8_t kind, cdcrt_cell& cell) {
  const auto set = [&](std::optional<int64_t> value, cdcrt_tag tag) {
    if (value) cell = integer_cell(tag, *value);
    return value.has_value();
  };
  switch (kind) {
    case CDCRT_TYPE_DATE: return set(sdk::parse_date(text), CDCRT_DATE);
    case CDCRT_TYPE_TIME: return set(sdk::parse_time(text), CDCRT_TIME);
    case CDCRT_TYPE_TIMESTAMP: return set(sdk::parse_timestamp(text), CDCRT_TIMESTAMP);
    case CDCRT_TYPE_TIMESTAMPTZ: return set(sdk::parse_timestamptz(text), CDCRT_TIMESTAMPTZ);
    default: return false;
  }
}

class ConstantWriter {
 public:
  ConstantWriter(std::string_view json, const cdcrt_column& column, cdcrt_type element, const FitElement& fit, std::string& out)
      : json_(json), column_(column), known_(column.type.kind == CDCRT_TYPE_ARRAY ? column.type.element : uint8_t{CDCRT_TYPE_UNKNOWN}),
        fit_(fit), out_(out) {
    element_ = column;
    element_.type = element;
  }

  Status run() {
    out_.clear();
    if (json_.next() != '[') return refuse("is no array");
    Status status = array(1);
    return status && !json_.ended() ? refuse("is no array") : std::move(status);
  }

 private:
  [[nodiscard]] Status refuse(const std::string& why) const {
    return Status::bad_record("column " + shown(sdk::view(column_.name)) + " " + why,
                              "give the column target_type = \"jsonb\" in the route");
  }

  Status array(int depth) {
    if (depth > kMaxDimensions) return refuse("has an array of more than 6 dimensions, which PostgreSQL does not have");
    json_.take('[');
    out_ += '{';
    if (json_.take(']')) {
      // PostgreSQL would take {{}} for {}.
      if (depth > 1) return refuse("has an empty array inside of an array, which PostgreSQL does not have");
      out_ += '}';
      return {};
    }
    do {
      if (out_.back() != '{') out_ += ',';
      Status status = json_.next() == '[' ? array(depth + 1) : element();
      if (!status) return status;
    } while (json_.take(','));
    if (!json_.take(']')) return refuse("is no array");
    out_ += '}';
    return {};
  }

  Status element() {
    cdcrt_cell cell{};
    Status status;
    if (json_.next() == '"') {
      if (!json_.text(text_)) return refuse("has a text that is none");
      status = from_text(cell);
    } else if (json_.next() == '{') {
      const std::string_view object = json_.nested();
      if (object.empty()) return refuse("is no array");
      cell = text_cell(CDCRT_JSON, object);
    } else {
      const std::string_view word = json_.word();
      if (word.empty()) return refuse("is no array");
      if (word == "null") {
        out_ += "NULL";
        return {};
      }
      cell = from_word(word);
    }
    if (status) status = check_kind(cell);
    if (status) status = fit_(cell, buffer_);
    return status ? append_array_element(out_, cell, element_) : std::move(status);
  }

  /// The server reads 123456 as a time of day and any text as bytes: what is of another kind is refused, as for a scalar.
  [[nodiscard]] Status check_kind(const cdcrt_cell& cell) const {
    const uint8_t target = element_.type.kind;
    const bool is_text = cell.tag != CDCRT_DECIMAL && cell.tag != CDCRT_F64 && cell.tag != CDCRT_BOOL;
    const bool needs_text =
        is_temporal(target) || target == CDCRT_TYPE_TIMETZ || target == CDCRT_TYPE_INTERVAL || target == CDCRT_TYPE_UUID;
    if ((needs_text && !is_text) || (target == CDCRT_TYPE_BYTES && cell.tag != CDCRT_BYTES)) {
      std::string text;
      append_cell_text(text, cell, sdk::TextStyle::kIso8601);
      return refuse("has an element of another kind than its array in the target: " + shown(text));
    }
    return {};
  }

  cdcrt_cell from_word(std::string_view word) const {
    if (word == "true" || word == "false") return integer_cell(CDCRT_BOOL, word == "true" ? 1 : 0);
    if (known_ == CDCRT_TYPE_FLOAT32 || known_ == CDCRT_TYPE_FLOAT64) {
      double real = 0;
      float single = 0;
      const bool is_single = known_ == CDCRT_TYPE_FLOAT32 && element_.type.kind == CDCRT_TYPE_FLOAT32;
      const auto parsed = is_single ? std::from_chars(word.data(), word.data() + word.size(), single)
                                    : std::from_chars(word.data(), word.data() + word.size(), real);
      if (parsed.ec == std::errc()) return real_cell(is_single ? static_cast<double>(single) : real);
    }
    return text_cell(CDCRT_DECIMAL, word);
  }

  Status from_text(cdcrt_cell& cell) {
    cell = text_cell(CDCRT_STRING, text_);
    if (known_ == CDCRT_TYPE_BYTES && element_.type.kind != CDCRT_TYPE_STRING) {
      auto bytes = sdk::decode_base64(text_);
      if (!bytes) return refuse("has an element that is no base64: " + shown(text_));
      text_ = std::move(*bytes);
      cell = text_cell(CDCRT_BYTES, text_);
      return {};
    }
    if (is_temporal(known_) && parse_moment(text_, known_, cell)) return {};
    if (!is_temporal(element_.type.kind)) return {};
    for (const uint8_t kind :
         {element_.type.kind, uint8_t{CDCRT_TYPE_DATE}, uint8_t{CDCRT_TYPE_TIMESTAMP}, uint8_t{CDCRT_TYPE_TIMESTAMPTZ}}) {
      if (parse_moment(text_, kind, cell)) return {};
    }
    // Digits past the microsecond are the column's to judge. Anything else the server might take for a moment that it is not: "now".
    cdcrt_cell ignored{};
    if (parse_moment(to_the_microsecond(text_), element_.type.kind, ignored)) return {};
    return refuse("has an element that is no date or time: " + shown(text_));
  }

  JsonReader json_;
  const cdcrt_column& column_;
  const uint8_t known_;  // kind of the elements as the event has them
  const FitElement& fit_;
  std::string& out_;
  cdcrt_column element_;
  std::string text_, buffer_;
};

class ConstantReader {
 public:
  ConstantReader(std::string_view text, cdcrt_type element, std::string& out) : rest_(text), element_(element), out_(out) {}

  bool run() {
    out_.clear();
    if (!rest_.empty() && rest_[0] == '[') rest_.remove_prefix(std::min(rest_.size(), rest_.find('=') + 1));
    return array() && rest_.empty();
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool array() {
    if (!take('{')) return false;
    out_ += '[';
    if (!take('}')) {
      do {
        if (out_.back() != '[') out_ += ',';
        const bool read = !rest_.empty() && rest_[0] == '{' ? array() : element();
        if (!read) return false;
      } while (take(','));
      if (!take('}')) return false;
    }
    out_ += ']';
    return true;
  }

  bool element() {
    std::string text;
    if (!take('"')) {
      const auto end = rest_.find_first_of(",}");
      if (end == std::string_view::npos || end == 0) return false;
      text = rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (text == "NULL") {
        out_ += "null";
        return true;
      }
      append(text);
      return true;
    }
    for (;;) {
      const auto end = rest_.find_first_of("\"\\");
      if (end == std::string_view::npos) return false;
      text.append(rest_.substr(0, end));
      const bool closes = rest_[end] == '"';
      rest_.remove_prefix(end + 1);
      if (closes) break;
      if (rest_.empty()) return false;
      text += rest_[0];
      rest_.remove_prefix(1);
    }
    append(text);
    return true;
  }

  void append(const std::string& text) {
    std::string buffer;
    const cdcrt_cell cell = from_postgresql(text, element_, buffer);
    switch (cell.tag) {
      case CDCRT_BOOL: out_ += cell.value.integer != 0 ? "true" : "false"; return;
      case CDCRT_I64:
      case CDCRT_U64:
      case CDCRT_F64:
      case CDCRT_DECIMAL:
        if (text.find_first_of("NI") == std::string::npos) {
          out_ += text;
          return;
        }
        sdk::append_json_string(out_, text);
        return;
      case CDCRT_BYTES: sdk::append_json_string(out_, sdk::encode_base64(bytes_of(cell))); return;
      case CDCRT_DATE:
      case CDCRT_TIME:
      case CDCRT_TIMESTAMP:
      case CDCRT_TIMESTAMPTZ: {
        std::string iso;
        append_cell_text(iso, cell, sdk::TextStyle::kIso8601);
        sdk::append_json_string(out_, iso);
        return;
      }
      default: sdk::append_json_string(out_, text);
    }
  }

  std::string_view rest_;
  const cdcrt_type element_;
  std::string& out_;
};

}  // namespace

bool is_array_constant(std::string_view text) {
  if (text.empty()) return false;
  if (text[0] == '{') return true;
  const auto equals = text.find('=');
  return text[0] == '[' && equals != std::string_view::npos &&
         text.substr(0, equals).find_first_not_of("[]:-0123456789") == std::string_view::npos && text.substr(equals + 1, 1) == "{";
}

Status to_array_constant(std::string_view json, const cdcrt_column& column, cdcrt_type element, const FitElement& fit, std::string& out) {
  return ConstantWriter(json, column, element, fit, out).run();
}

bool from_array_constant(std::string_view text, cdcrt_type element, std::string& out) { return ConstantReader(text, element, out).run(); }

}  // namespace cdcrt::sql
