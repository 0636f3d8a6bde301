// Report: collects every problem of one load, so that an operator repairs all of them in one go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/diagnostic.hpp"
#include "diagnostics/source_texts.hpp"

namespace cdcrt::manifest {

using diagnostics::Diagnostic;
using diagnostics::Position;

/// Not thread-safe.
class Report {
 public:
  void error(std::string_view code, Position position, std::string message, std::string help = {}, std::vector<std::string> notes = {});
  /// Worth knowing, and nothing is wrong.
  void warning(std::string_view code, Position position, std::string message, std::string help = {});
  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  /// Of errors.
  [[nodiscard]] std::size_t count() const { return errors_; }
  /// Sorted by file (in the order they were read), line and column; nothing twice. Leaves the report empty.
  std::vector<Diagnostic> take();

  /// Texts of the files, filled while they are read.
  [[nodiscard]] diagnostics::SourceTexts& texts() { return *texts_; }
  [[nodiscard]] std::shared_ptr<diagnostics::SourceTexts> shared_texts() const { return texts_; }

 private:
  void add(diagnostics::Severity severity, std::string_view code, Position position, std::string message, std::string help,
           std::vector<std::string> notes);

  std::vector<Diagnostic> diagnostics_;
  std::size_t errors_ = 0;
  std::shared_ptr<diagnostics::SourceTexts> texts_ = std::make_shared<diagnostics::SourceTexts>();
};

/// "file:line:column" for notes.
std::string place(const Position& position);

}  // namespace cdcrt::manifest
