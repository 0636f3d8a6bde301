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
  [[nodiscard]] bool has_errors() const { return !diagnostics_.empty(); }
  [[nodiscard]] std::size_t count() const { return diagnostics_.size(); }
  /// Sorted by file (in the order they were read), line and column; nothing twice. Leaves the report empty.
  std::vector<Diagnostic> take();

  /// Texts of the files, filled while they are read.
  [[nodiscard]] diagnostics::SourceTexts& texts() { return *texts_; }
  [[nodiscard]] std::shared_ptr<diagnostics::SourceTexts> shared_texts() const { return texts_; }

 private:
  std::vector<Diagnostic> diagnostics_;
  std::shared_ptr<diagnostics::SourceTexts> texts_ = std::make_shared<diagnostics::SourceTexts>();
};

/// "file:line:column" for notes.
std::string place(const Position& position);

}  // namespace cdcrt::manifest
