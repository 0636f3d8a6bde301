#include "diagnostics/renderer.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "diagnostics/text.hpp"

namespace cdcrt::diagnostics {
namespace {

constexpr uint32_t kWindow = 140;       // characters of a line that are shown at most
constexpr uint32_t kWindowBefore = 60;  // of them before the token

struct Colours {
  const char *bold, *error, *warning, *help, *reset;
};
constexpr Colours kColours{"\x1b[1m", "\x1b[1;31m", "\x1b[1;35m", "\x1b[1;36m", "\x1b[0m"};
constexpr Colours kPlain{"", "", "", "", ""};

/// The line and the caret line below it, a window of them when the line is long.
std::string render_line(const SourceTexts::Line& line, const Colours& colours, const char* mark_colour) {
  const uint32_t characters = static_cast<uint32_t>(count_characters(line.text));
  const uint32_t first = characters > kWindow && line.column > kWindowBefore ? line.column - kWindowBefore : 1;
  std::string shown = "  ", marks = "  ";
  if (first > 1) {
    shown += "...";
    marks += "   ";
  }
  uint32_t column = 1;
  for (std::size_t offset = 0; offset < line.text.size() || column < line.column + 1; ++column) {
    const Character character = character_at(line.text, offset);
    if (column >= first + kWindow) {
      shown += "...";
      break;
    }
    if (column >= first) {
      unsigned width = 1;
      if (character.bytes > 0) {
        const std::string text = character.code == '\t' ? "\t" : printable(std::string_view(line.text).substr(offset, character.bytes));
        shown += text;
        width =
            character.code == '\t' || text.size() == character.bytes ? terminal_width(character.code) : static_cast<unsigned>(text.size());
      }
      if (column < line.column) {
        marks += character.code == '\t' ? std::string("\t") : std::string(width, ' ');
      } else if (column == line.column) {
        marks += mark_colour;
        marks += '^';
        if (width > 1) marks += std::string(width - 1, '~');
      } else if (column < line.column + line.length) {
        marks += std::string(width, '~');
      }
    }
    offset += character.bytes;
  }
  return shown + "\n" + marks + colours.reset + "\n";
}

std::string count(std::size_t number, const char* singular) { return std::to_string(number) + " " + singular + (number == 1 ? "" : "s"); }

}  // namespace

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(descriptor) == 1 && (no_colour == nullptr || *no_colour == '\0') && terminal != nullptr &&
         std::strcmp(terminal, "dumb") != 0;
}

std::string render(const Diagnostic& diagnostic, const SourceTexts& texts, bool colour) {
  const Colours& colours = colour ? kColours : kPlain;
  const bool is_error = diagnostic.severity == Severity::kError;
  const char* mark_colour = is_error ? colours.error : colours.warning;
  std::string result = colours.bold;
  if (!diagnostic.position.file.empty()) {
    result += printable(diagnostic.position.file);
    if (diagnostic.position.line > 0) {
      result += ":" + std::to_string(diagnostic.position.line) + ":" + std::to_string(diagnostic.position.column);
    }
    result += ": ";
  }
  result += mark_colour;
  result += is_error ? "error" : "warning";
  if (!diagnostic.code.empty()) result += "[" + diagnostic.code + "]";
  result += std::string(colours.reset) + colours.bold + ": " + printable(diagnostic.message) + colours.reset + "\n";
  if (const auto line = texts.line(diagnostic.position)) result += render_line(*line, colours, mark_colour);
  if (!diagnostic.help.empty()) result += std::string(colours.help) + "help" + colours.reset + ": " + printable(diagnostic.help) + "\n";
  for (const auto& note : diagnostic.notes) result += std::string(colours.bold) + "note" + colours.reset + ": " + printable(note) + "\n";
  return result;
}

std::string render(const std::vector<Diagnostic>& diagnostics, const SourceTexts& texts, bool colour) {
  std::string result;
  std::size_t errors = 0, warnings = 0;
  for (const auto& diagnostic : diagnostics) {
    result += render(diagnostic, texts, colour) + "\n";
    ++(diagnostic.severity == Severity::kError ? errors : warnings);
  }
  if (errors > 0) result += count(errors, "error");
  if (warnings > 0) result += (errors > 0 ? ", " : "") + count(warnings, "warning");
  return result.empty() ? result : result + "\n";
}

std::string render_json(const std::vector<Diagnostic>& diagnostics) {
  std::string result = "{\"diagnostics\":[";
  for (std::size_t i = 0; i < diagnostics.size(); ++i) {
    const Diagnostic& diagnostic = diagnostics[i];
    result += i == 0 ? "" : ",";
    result += "{\"code\":" + json_string(diagnostic.code);
    result += diagnostic.severity == Severity::kError ? ",\"severity\":\"error\"" : ",\"severity\":\"warning\"";
    result += ",\"file\":" + json_string(diagnostic.position.file);
    result += ",\"line\":" + std::to_string(diagnostic.position.line) + ",\"column\":" + std::to_string(diagnostic.position.column) +
              ",\"length\":" + std::to_string(diagnostic.position.length);
    result += ",\"message\":" + json_string(diagnostic.message) + ",\"help\":" + json_string(diagnostic.help) + ",\"notes\":[";
    for (std::size_t n = 0; n < diagnostic.notes.size(); ++n) result += (n == 0 ? "" : ",") + json_string(diagnostic.notes[n]);
    result += "]}";
  }
  return result + "]}\n";
}

}  // namespace cdcrt::diagnostics
