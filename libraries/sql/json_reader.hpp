// Reading JSON text from left to right. For values inside a cell: nothing is kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::sql {

class JsonReader {
 public:
  explicit JsonReader(std::string_view json) : rest_(json) {}

  /// The next character past white space; 0 at the end.
  char next();
  /// Passes that character where it is `c`.
  bool take(char c);
  bool ended() { return next() == 0; }
  /// A string, decoded; false where there is none, or half a surrogate pair.
  bool text(std::string& out);
  /// A number, true, false or null as it stands; empty where there is none.
  std::string_view word();
  /// An object or an array as it stands; empty where it does not end.
  std::string_view nested();

 private:
  bool escape(std::string& out);
  bool hexadecimal(uint32_t& out);

  std::string_view rest_;
};

}  // namespace cdcrt::sql
