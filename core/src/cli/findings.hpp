// Findings: what is wrong or worth knowing in one file that an operator gave, each with its place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/diagnostic.hpp"
#include "diagnostics/source_texts.hpp"

namespace cdcrt::cli {

/// Bytes [begin, end) of a file. Without a place: the file as a whole.
struct Span {
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  std::size_t begin = kNowhere, end = kNowhere;
};

/// Not thread-safe.
class Findings {
 public:
  /// `file` as diagnostics name it.
  Findings(std::string file, std::string text);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::string_view text() const { return text_; }

  void error(std::string_view code, Span where, std::string message, std::string help = {});
  void warning(std::string_view code, Span where, std::string message, std::string help = {});
  /// Shown nowhere from now on.
  void mask(Span secret);

  [[nodiscard]] bool has_errors() const { return has_errors_; }
  /// All of them in the order of their places, as text.
  [[nodiscard]] std::string render(bool colour) const;

 private:
  void add(diagnostics::Severity severity, std::string_view code, Span where, std::string message, std::string help);
  [[nodiscard]] diagnostics::Position position(Span where) const;

  const std::string file_;
  const std::string text_;
  diagnostics::SourceTexts texts_;
  std::vector<diagnostics::Diagnostic> found_;
  bool has_errors_ = false;
};

}  // namespace cdcrt::cli
