// UnavailableValue: the text that Debezium puts where the source did not send a value (unchanged TOAST), in all its disguises.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/sdk/json_tape.hpp"

namespace cdcrt::debezium {

class UnavailableValue {
 public:
  /// `text`: Debezium's unavailable.value.placeholder, or hex:... of its bytes as there.
  explicit UnavailableValue(std::string_view text);
  /// A string value: the text itself, its base64 (both alphabets) or its hex.
  [[nodiscard]] bool is(std::string_view value) const {
    const std::size_t size = value.size();
    return (size == plain_.size() && value == plain_) || (size == base64_.size() && value == base64_) ||
           (size == hex_.size() && value == hex_) || (size == url_safe_.size() && value == url_safe_);
  }
  /// Any value: as above; an array of it alone, or of its bytes as integers; an object whose only value it is.
  [[nodiscard]] bool is(const sdk::JsonTape& tape, uint32_t index) const;

 private:
  std::string plain_, base64_, url_safe_, hex_;
};

}  // namespace cdcrt::debezium
