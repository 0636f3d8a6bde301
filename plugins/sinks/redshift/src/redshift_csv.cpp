#include "redshift_csv.hpp"

#include <charconv>
#include <cstring>
#include <random>

#include "redshift_value.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::sql {
namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101u;

constexpr bool has_zero_byte(uint64_t word) { return ((word - kEveryByte) & ~word & (kEveryByte * 0x80)) != 0; }

/// The first quote or NUL, or `end`. Eight bytes at a time: most texts have neither.
const char* find_special(const char* begin, const char* end) {
  while (end - begin >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, begin, 8);
    if (has_zero_byte(word) || has_zero_byte(word ^ kEveryByte * '"')) break;
    begin += 8;
  }
  while (begin != end && *begin != '"' && *begin != '\0') ++begin;
  return begin;
}

}  // namespace

std::string make_null_text() {
  constexpr std::string_view kCodes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string text = "N";
  for (int i = 0; i < 12; ++i) text += kCodes[std::uniform_int_distribution<std::size_t>(0, kCodes.size() - 1)(random)];
  return text;
}

void RedshiftCsv::append_quoted(std::string& out, std::string_view text) {
  out += '"';
  const char* begin = text.data();
  const char* const end = begin + text.size();
  for (;;) {
    const char* const special = find_special(begin, end);
    out.append(begin, special);
    if (special == end) break;
    if (*special == '"') {
      out += "\"\"";
    } else {
      ++removed_nul_bytes_;
    }
    begin = special + 1;
  }
  out += '"';
}

void RedshiftCsv::append_number(std::string& out, uint64_t number) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

void RedshiftCsv::append(std::string& out, const cdcrt_cell& cell, redshift::Storage storage) {
  using Form = redshift::StoredValue::Form;
  const redshift::StoredValue value = redshift::stored_value(cell, storage, buffer_);
  switch (value.form) {
    case Form::kNull: out += null_text_; break;
    case Form::kBoolean:
    case Form::kNumeral:
    case Form::kWord: out += value.text; break;
    case Form::kBytes:
      out += '"';
      append_hex(out, value.text);
      out += '"';
      break;
    case Form::kText:
    case Form::kJson: append_quoted(out, value.text); break;
  }
}

}  // namespace cdcrt::sql
