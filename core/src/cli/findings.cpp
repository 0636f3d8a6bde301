#include "cli/findings.hpp"

#include <algorithm>
#include <tuple>

#include "diagnostics/renderer.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {

using diagnostics::Diagnostic;
using diagnostics::Position;
using diagnostics::Severity;

Findings::Findings(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) { texts_.add(file_, text_); }

Position Findings::position(Span where) const {
  Position position;
  position.file = file_;
  if (where.begin == Span::kNowhere) return position;
  const std::string_view text = text_;
  const std::size_t begin = std::min(where.begin, text.size());
  const std::size_t end = std::clamp(where.end, begin, text.size());
  const std::string_view before = text.substr(0, begin);
  const std::size_t line_feed = before.rfind('\n');
  const std::size_t line = line_feed == std::string_view::npos ? 0 : line_feed + 1;
  position.line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  position.column = static_cast<uint32_t>(diagnostics::count_characters(before.substr(line))) + 1;
  position.length = std::max<uint32_t>(1, static_cast<uint32_t>(diagnostics::count_characters(text.substr(begin, end - begin))));
  return position;
}

void Findings::mask(Span secret) { texts_.mask(position(secret)); }

void Findings::add(Severity severity, std::string_view code, Span where, std::string message, std::string help) {
  Position place = position(where);
  // What goes on in the next line is not underlined there.
  if (where.begin != Span::kNowhere) {
    const std::size_t line_end = std::min(text_.find('\n', where.begin), text_.size());
    if (where.end > line_end) place = position({where.begin, line_end});
  }
  found_.push_back({std::string(code), severity, std::move(place), std::move(message), std::move(help), {}});
}

void Findings::error(std::string_view code, Span where, std::string message, std::string help) {
  has_errors_ = true;
  add(Severity::kError, code, where, std::move(message), std::move(help));
}

void Findings::warning(std::string_view code, Span where, std::string message, std::string help) {
  add(Severity::kWarning, code, where, std::move(message), std::move(help));
}

std::string Findings::render(bool colour) const {
  auto sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& left, const Diagnostic& right) {
    return std::tie(left.position.line, left.position.column) < std::tie(right.position.line, right.position.column);
  });
  return diagnostics::render(sorted, texts_, colour);
}

}  // namespace cdcrt::cli
