#include "debezium/unavailable.hpp"

#include <algorithm>
#include <charconv>

#include "cdcrt/sdk/base64.hpp"

namespace cdcrt::debezium {

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) >> 4]);
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) & 15]);
  }
  return out;
}

std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    out.push_back(static_cast<char>(value));
  }
  return out;
}

}  // namespace

UnavailableValue::UnavailableValue(std::string_view text) {
  plain_ = text.starts_with("hex:") ? from_hex(text.substr(4)) : std::string(text);
  base64_ = sdk::encode_base64(plain_);
  url_safe_.resize(sdk::base64_size(plain_.size()));
  sdk::encode_base64(plain_, url_safe_.data(), sdk::detail::kBase64UrlAlphabet);
  hex_ = hex(plain_);
}

bool UnavailableValue::is(const sdk::JsonTape& tape, uint32_t index) const {
  const sdk::JsonToken& token = tape[index];
  if (token.kind == sdk::JsonKind::kString) return is(tape.text(index));
  if (token.kind == sdk::JsonKind::kObject)
    return token.size == 1 && tape[index + 2].kind == sdk::JsonKind::kString && is(tape.text(index + 2));
  if (token.kind != sdk::JsonKind::kArray || token.size == 0) return false;
  if (token.size == 1 && tape[index + 1].kind == sdk::JsonKind::kString) return is(tape.text(index + 1));
  if (token.size != plain_.size()) return false;
  for (uint32_t i = 0; i < token.size; ++i) {
    const sdk::JsonToken& element = tape[index + 1 + i];
    int value = 0;
    if (element.kind != sdk::JsonKind::kNumber) return false;
    const char* end = element.data + element.size;
    const auto parsed = std::from_chars(element.data, end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || value != static_cast<signed char>(plain_[i])) return false;
  }
  return true;
}

}  // namespace cdcrt::debezium
