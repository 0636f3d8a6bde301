// The files that diagnostics point into, with everything secret in them covered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/diagnostic.hpp"

namespace cdcrt::diagnostics {

/// True for a key whose value is never to be shown: PWD, Password, secret_key, auth_token, ...
bool names_a_secret(std::string_view key);

/// Owns the texts. Filled by one thread, then read by any number.
class SourceTexts {
 public:
  /// A line as it may be shown, and the place of a token in it.
  struct Line {
    std::string text;
    uint32_t column = 0;  ///< 1-based, characters
    uint32_t length = 0;  ///< characters, at least 1, within the line
  };

  /// `file` as diagnostics name it.
  void add(const std::string& file, std::string text);
  [[nodiscard]] bool holds(const std::string& file) const { return files_.contains(file); }
  /// Place in the order of add(); files never added come last.
  [[nodiscard]] std::size_t order(const std::string& file) const;
  /// The value that begins here is never shown, to the end of its last line.
  void mask(const Position& value);
  /// The line of a position; values of keys that name a secret are covered too. nullopt: no such file or line.
  [[nodiscard]] std::optional<Line> line(const Position& position) const;
  /// The line as it stands in the file, secrets included: only for finding places in it.
  [[nodiscard]] std::string_view raw_line(const std::string& file, uint32_t line) const;

 private:
  struct Span {
    uint32_t line, column, length;
  };
  struct File {
    std::size_t order = 0;
    std::string text;
    std::vector<std::size_t> starts;  // offset of each line
    std::vector<Span> masks;
  };
  std::map<std::string, File> files_;
};

}  // namespace cdcrt::diagnostics
