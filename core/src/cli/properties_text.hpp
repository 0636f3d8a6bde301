// Java's .properties files, with the place of every byte.
#pragma once

#include <string>
#include <vector>

#include "cli/findings.hpp"

namespace cdcrt::cli {

/// One `key = value`; escapes and continued lines are resolved.
struct Property {
  std::string key, value;
  Span key_span;
  std::vector<std::size_t> origins;  ///< where in the file each byte of `value` comes from, and its end

  /// Bytes [begin, end) of `value`, as a place in the file; a place that is never before the line it began in.
  [[nodiscard]] Span span(std::size_t begin, std::size_t end) const;
  [[nodiscard]] Span value_span() const { return span(0, value.size()); }
};

/// All of a file, in its order. Lines that are no `key = value` are reported; values of keys that name a secret are masked.
std::vector<Property> read_properties(Findings& file);

}  // namespace cdcrt::cli
