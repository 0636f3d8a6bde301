// Cells as texts of three kinds: keys (append_key), the host's own tables (append_text), messages (display). None is SQL of a target.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "cdcrt/sdk/cell.hpp"
#include "diagnostics/result.hpp"
#include "event/arena.hpp"

namespace cdcrt::types {

inline std::string_view text_of(const cdcrt_cell& cell) {
  return cell.size == 0 ? std::string_view() : std::string_view(cell.value.data, cell.size);
}

using sdk::integer_cell;
using sdk::natural_cell;
using sdk::real_cell;
using sdk::text_cell;

inline cdcrt_cell null_cell() { return integer_cell(CDCRT_NULL, 0); }

/// True for tags whose bytes are behind `data`.
constexpr bool has_bytes(uint8_t tag) { return tag == CDCRT_DECIMAL || tag >= CDCRT_STRING; }

namespace detail {
void append_key_slowly(std::string& out, const cdcrt_cell& cell);

/// The text's length plus 2, then the text: a first byte of 0 is NULL, of 1 ABSENT.
inline void append_key_text(std::string& out, std::string_view text) {
  uint64_t size = text.size() + 2;
  while (size >= 0x80) {
    out += static_cast<char>(size | 0x80);
    size >>= 7;
  }
  out += static_cast<char>(size);
  out += text;
}
}  // namespace detail

/// Canonical bytes of a key cell: equal for equal values whatever the tag (I64 5, U64 5, F64 5, DECIMAL "5.0", STRING "5"; BOOL is 0 or 1),
/// never a prefix of another's, so that composite keys may simply be appended. NULL and ABSENT differ from every text. A STRING is its
/// bytes: "5.0" and "5" are two keys.
inline void append_key(std::string& out, const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_STRING) return detail::append_key_text(out, text_of(cell));
  if (cell.tag == CDCRT_I64) {
    char digits[24];
    const auto end = std::to_chars(digits + 1, digits + sizeof digits, cell.value.integer).ptr;
    digits[0] = static_cast<char>(end - digits - 1 + 2);
    out.append(digits, static_cast<std::size_t>(end - digits));
    return;
  }
  detail::append_key_slowly(out, cell);
}

/// A cell as self-delimiting text, tag and every bit of the value included (the payload of a NaN apart): appended texts can be
/// taken off one by one. Valid UTF-8 without NUL whatever the cell holds, so that any text column can keep it.
void append_text(std::string& out, const cdcrt_cell& cell);

/// Takes the cell at the front of `text` off; its bytes go into `arena`. FATAL when the text is not ours.
Result<cdcrt_cell> take_text(std::string_view& text, event::Arena& arena);

/// The one cell that `text` is.
Result<cdcrt_cell> from_text(std::string_view text, event::Arena& arena);

/// For messages: at most about 60 characters, one line, texts in quotes.
std::string display(const cdcrt_cell& cell);

}  // namespace cdcrt::types
