#include "kcat/json_text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace cdcrt::kcat {
namespace {

constexpr std::array<char, 256> make_simple_escapes() {
  std::array<char, 256> table{};
  table['"'] = '"';
  table['\\'] = '\\';
  table['/'] = '/';
  table['b'] = '\b';
  table['f'] = '\f';
  table['n'] = '\n';
  table['r'] = '\r';
  table['t'] = '\t';
  return table;
}
constexpr auto kSimpleEscapes = make_simple_escapes();

constexpr bool is_special(unsigned char c) { return c == '"' || c == '\\' || c < 0x20; }

#ifdef __SSE2__
/// One bit per byte that is a quote, a backslash or a control character.
inline unsigned specials(__m128i bytes) {
  const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls)));
}
#endif

/// One bit per byte of the next kBlock that is one.
constexpr unsigned kBlock = 64;
inline uint64_t find_specials(const char* from) {
#ifdef __SSE2__
  uint64_t found = 0;
  for (unsigned i = 0; i < kBlock; i += 16)
    found |= static_cast<uint64_t>(specials(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)))) << i;
  return found;
#else
  uint64_t found = 0;
  for (unsigned i = 0; i < kBlock; ++i) found |= static_cast<uint64_t>(is_special(static_cast<unsigned char>(from[i]))) << i;
  return found;
#endif
}

/// May read and write up to 16 bytes too many.
inline void copy_loosely(const char* from, char* to, unsigned size) {
  std::memcpy(to, from, 16);
  for (unsigned done = 16; done < size; done += 16) std::memcpy(to + done, from + done, 16);
}

inline const char* skip_plain(const char* from) {
#ifdef __SSE2__
  for (;;) {
    const unsigned found = specials(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    if (found != 0) return from + __builtin_ctz(found);
    from += 16;
  }
#else
  while (!is_special(static_cast<unsigned char>(*from))) ++from;
  return from;
#endif
}

/// Four hexadecimal digits; -1: they are not.
int32_t hexadecimal(const char* from) {
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = from[i];
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return -1;  // the control character at the end of the input stops here as well
    value = value * 16 + digit;
  }
  return value;
}

char* write_utf8(char* to, uint32_t code) {
  const auto continuation = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (code < 0x80) {
    *to++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *to++ = static_cast<char>(0xC0 | (code >> 6));
    *to++ = continuation(code);
  } else if (code < 0x10000) {
    *to++ = static_cast<char>(0xE0 | (code >> 12));
    *to++ = continuation(code >> 6);
    *to++ = continuation(code);
  } else {
    *to++ = static_cast<char>(0xF0 | (code >> 18));
    *to++ = continuation(code >> 12);
    *to++ = continuation(code >> 6);
    *to++ = continuation(code);
  }
  return to;
}

/// `from` stands behind "\u".
Unescaped unescape_unicode(const char* from, char* to) {
  const int32_t first = hexadecimal(from);
  if (first < 0) return {from, to, "\\u without four hexadecimal digits"};
  if (first >= 0xDC00 && first <= 0xDFFF) return {from, to, "lone low surrogate, which no text can hold"};
  if (first < 0xD800 || first > 0xDBFF) return {from + 4, write_utf8(to, static_cast<uint32_t>(first)), nullptr};
  if (from[4] != '\\' || from[5] != 'u') return {from, to, "lone high surrogate, which no text can hold"};
  const int32_t second = hexadecimal(from + 6);
  if (second < 0xDC00 || second > 0xDFFF) return {from, to, "lone high surrogate, which no text can hold"};
  const uint32_t code = 0x10000 + ((static_cast<uint32_t>(first) - 0xD800) << 10) + (static_cast<uint32_t>(second) - 0xDC00);
  return {from + 10, write_utf8(to, code), nullptr};
}

}  // namespace

// The special characters of a block are found together, so that no escape waits for the one before it.
Unescaped unescape(const char* from, char* to) {
  for (;;) {
    uint64_t found = find_specials(from);
    unsigned at = 0;
    char plain = 1;
    while (found != 0) {
      const auto next = static_cast<unsigned>(__builtin_ctzll(found));
      copy_loosely(from + at, to, next - at);
      to += next - at;
      at = next;
      if (from[at] == '"') return {from + at + 1, to, nullptr};
      if (from[at] != '\\') return {from + at, to, "a string that does not end, or a raw control character in it"};
      plain = kSimpleEscapes[static_cast<unsigned char>(from[at + 1])];
      if (plain == 0) break;
      *to++ = plain;
      found &= ~(uint64_t{3} << at);
      at += 2;
    }
    if (plain != 0) {
      if (at < kBlock) {
        copy_loosely(from + at, to, kBlock - at);
        to += kBlock - at;
      }
      from += at < kBlock ? kBlock : at;
      continue;
    }
    if (from[at + 1] != 'u') return {from + at, to, "a backslash before something that JSON does not know"};
    const auto done = unescape_unicode(from + at + 2, to);
    if (done.problem != nullptr) return done;
    from = done.next;
    to = done.end;
  }
}

const char* closing_quote(const char* from) {
  for (;;) {
    from = skip_plain(from);
    if (*from == '"') return from;
    if (*from != '\\' || static_cast<unsigned char>(from[1]) < 0x20) return nullptr;
    from += 2;
  }
}

}  // namespace cdcrt::kcat
