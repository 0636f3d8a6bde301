#include "types/cell_text.hpp"

#include <array>
#include <cmath>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "types/decimal.hpp"

namespace cdcrt::types {
namespace {

// One letter a tag, in the order of cdcrt_tag. Rows in targets are kept in these: never change one.
constexpr std::string_view kCodes = "-nbiufdDtTZsxjUav";
constexpr char kEncoded = '!';  // before the letter of a text that is kept as base64

constexpr std::size_t kDisplayCharacters = 60;

/// Digits or ISO text of a cell without bytes; at least 48 bytes at `out`.
std::size_t write_scalar(char* out, const cdcrt_cell& cell) {
  constexpr std::size_t room = 48;
  const auto size = [out](std::to_chars_result result) { return static_cast<std::size_t>(result.ptr - out); };
  switch (cell.tag) {
    case CDCRT_U64: return size(std::to_chars(out, out + room, cell.value.natural));
    case CDCRT_F64: return size(std::to_chars(out, out + room, cell.value.real));
    case CDCRT_DATE: return sdk::write_date(out, cell.value.integer, sdk::TextStyle::kIso8601);
    case CDCRT_TIME: return sdk::write_time(out, cell.value.integer);
    case CDCRT_TIMESTAMP: return sdk::write_timestamp(out, cell.value.integer, sdk::TextStyle::kIso8601);
    case CDCRT_TIMESTAMPTZ: return sdk::write_timestamptz(out, cell.value.integer, sdk::TextStyle::kIso8601);
    default: return size(std::to_chars(out, out + room, cell.value.integer));
  }
}

Error broken(std::string_view text) {
  return make_error(CDCRT_FATAL,
                    "a cell kept by the host cannot be read: " + display(text_cell(CDCRT_STRING, text.substr(0, kDisplayCharacters))),
                    "the table was changed by hand, or written by another version");
}

template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool append_escaped(std::string& out, std::string_view character) {
  const auto byte = static_cast<uint8_t>(character.front());
  if (character.size() == 1 && (byte < 0x20 || byte >= 0x7F)) {
    constexpr char hex[] = "0123456789abcdef";
    out += "\\x";
    out += hex[byte >> 4];
    out += hex[byte & 15];
    return true;
  }
  out += character;
  return false;
}

/// The valid UTF-8 character at the front, else one byte.
std::string_view first_character(std::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (sdk::is_utf8(text.substr(0, size))) return text.substr(0, size);
  }
  return text.substr(0, 1);
}

}  // namespace

namespace detail {

void append_key_slowly(std::string& out, const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_NULL: out += '\0'; return;
    case CDCRT_ABSENT: out += '\1'; return;
    case CDCRT_BOOL: return append_key_text(out, cell.value.integer != 0 ? "1" : "0");
    case CDCRT_F64: return append_key_text(out, decimal_from_double(cell.value.real, false));
    case CDCRT_DECIMAL: {
      const auto decimal = parse_decimal(text_of(cell));
      if (!decimal) return append_key_text(out, text_of(cell));
      std::string canonical;
      append_canonical(canonical, *decimal);
      return append_key_text(out, canonical);
    }
    default: break;
  }
  if (has_bytes(cell.tag)) return append_key_text(out, text_of(cell));
  char text[48];
  append_key_text(out, {text, write_scalar(text, cell)});
}

}  // namespace detail

void append_text(std::string& out, const cdcrt_cell& cell) {
  char scalar[48];
  std::string encoded;
  std::string_view body;
  if (cell.tag > CDCRT_NULL && !has_bytes(cell.tag)) {
    // Counts, not dates: nothing of the calendar to go wrong.
    body = {scalar, cell.tag == CDCRT_U64 || cell.tag == CDCRT_F64 ? write_scalar(scalar, cell)
                                                                   : write_scalar(scalar, integer_cell(CDCRT_I64, cell.value.integer))};
  } else if (has_bytes(cell.tag)) {
    body = text_of(cell);
    const bool plain = cell.tag != CDCRT_BYTES && body.find('\0') == std::string_view::npos && sdk::is_utf8(body);
    if (!plain) {
      encoded = sdk::encode_base64(body);
      body = encoded;
      out += kEncoded;
    }
  }
  out += cell.tag < kCodes.size() ? kCodes[cell.tag] : kCodes[0];
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, body.size()).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
  out += ':';
  out += body;
}

Result<cdcrt_cell> take_text(std::string_view& text, event::Arena& arena) {
  std::string_view rest = text;
  const bool encoded = !rest.empty() && rest.front() == kEncoded;
  if (encoded) rest.remove_prefix(1);
  const auto tag = rest.empty() ? std::string_view::npos : kCodes.find(rest.front());
  if (tag == std::string_view::npos) return broken(text);
  rest.remove_prefix(1);
  const auto colon = rest.find(':');
  std::size_t size = 0;
  if (colon == std::string_view::npos || !parse_whole(rest.substr(0, colon), size) || size > rest.size() - colon - 1) return broken(text);
  const std::string_view body = rest.substr(colon + 1, size);
  rest.remove_prefix(colon + 1 + size);

  cdcrt_cell cell{};
  cell.tag = static_cast<uint8_t>(tag);
  bool good = true;
  if (tag <= CDCRT_NULL) {
    good = body.empty() && !encoded;
  } else if (has_bytes(cell.tag)) {
    if (body.size() > UINT32_MAX || (!encoded && tag == CDCRT_BYTES)) return broken(text);
    if (encoded) {
      char* const bytes = arena.allocate(sdk::base64_decoded_bound(body.size()));
      const auto count = sdk::decode_base64(body, bytes);
      if (!count) return broken(text);
      cell = text_cell(static_cast<cdcrt_tag>(tag), {bytes, *count});
    } else {
      cell = text_cell(static_cast<cdcrt_tag>(tag), arena.copy(body));
    }
  } else if (tag == CDCRT_U64) {
    good = !encoded && parse_whole(body, cell.value.natural);
  } else if (tag == CDCRT_F64) {
    good = !encoded && parse_whole(body, cell.value.real);
  } else {
    good = !encoded && parse_whole(body, cell.value.integer);
  }
  if (!good) return broken(text);
  text = rest;
  return cell;
}

Result<cdcrt_cell> from_text(std::string_view text, event::Arena& arena) {
  const std::string_view whole = text;
  auto cell = take_text(text, arena);
  if (cell && !text.empty()) return broken(whole);
  return cell;
}

std::string display(const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_ABSENT: return "(absent)";
    case CDCRT_NULL: return "NULL";
    case CDCRT_BOOL: return cell.value.integer != 0 ? "true" : "false";
    default: break;
  }
  if (!has_bytes(cell.tag)) {
    char text[48];
    return std::string(text, write_scalar(text, cell));
  }
  const bool quoted = cell.tag != CDCRT_DECIMAL;
  std::string out;
  if (cell.tag == CDCRT_BYTES) out += 'x';
  if (quoted) out += '\'';
  std::string_view rest = text_of(cell);
  for (std::size_t shown = 0; !rest.empty() && shown < kDisplayCharacters; ++shown) {
    if (cell.tag == CDCRT_BYTES) {
      constexpr char hex[] = "0123456789abcdef";
      const auto byte = static_cast<uint8_t>(rest.front());
      out += hex[byte >> 4];
      out += hex[byte & 15];
      ++shown;
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view character = first_character(rest);
    if (append_escaped(out, character)) shown += 3;
    rest.remove_prefix(character.size());
  }
  if (!rest.empty()) out += "...";
  if (quoted) out += '\'';
  return out;
}

}  // namespace cdcrt::types
