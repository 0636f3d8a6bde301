// Diagnostics in a compiler's style: file:line:column, stable code, the line, a caret, help.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cdcrt::diagnostics {

struct Position {
  std::string file;     ///< as the user named it; empty: none
  uint32_t line = 0;    ///< 1-based; 0: the file as a whole
  uint32_t column = 0;  ///< 1-based, in characters
  uint32_t length = 1;  ///< characters to underline
};

enum class Severity : uint8_t { kError, kWarning };

struct Diagnostic {
  std::string code;  ///< "E0203"; every code is declared once, in diagnostics/codes.hpp
  Severity severity = Severity::kError;
  Position position;
  std::string message;  ///< what is wrong, values last
  std::string help;     ///< what to do; may be empty
  std::vector<std::string> notes;
};

}  // namespace cdcrt::diagnostics
