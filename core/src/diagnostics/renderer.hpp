// Diagnostics as text in a compiler's style, or as JSON.
#pragma once

#include <string>
#include <vector>

#include "diagnostics/diagnostic.hpp"
#include "diagnostics/source_texts.hpp"

namespace cdcrt::diagnostics {

/// True when the stream behind `descriptor` is a terminal that shows colours and NO_COLOR is not set.
bool wants_colour(int descriptor);

/// One diagnostic: `file:line:column: error[E0203]: message`, the line, a caret, help, notes. Ends with a line feed.
/// Nothing in it moves a cursor, and nothing that `texts` covers is shown.
std::string render(const Diagnostic& diagnostic, const SourceTexts& texts, bool colour);

/// All of them, and a last line that counts them.
std::string render(const std::vector<Diagnostic>& diagnostics, const SourceTexts& texts, bool colour);

/// {"diagnostics":[{"code","severity","file","line","column","length","message","help","notes"}...]}; line 0: the whole file.
std::string render_json(const std::vector<Diagnostic>& diagnostics);

}  // namespace cdcrt::diagnostics
