#include "manifest/report.hpp"

#include <algorithm>
#include <tuple>

#include "diagnostics/userinfo.hpp"

namespace cdcrt::manifest {

void Report::error(std::string_view code, Position position, std::string message, std::string help, std::vector<std::string> notes) {
  ++errors_;
  add(diagnostics::Severity::kError, code, std::move(position), std::move(message), std::move(help), std::move(notes));
}

void Report::warning(std::string_view code, Position position, std::string message, std::string help) {
  add(diagnostics::Severity::kWarning, code, std::move(position), std::move(message), std::move(help), {});
}

void Report::add(diagnostics::Severity severity, std::string_view code, Position position, std::string message, std::string help,
                 std::vector<std::string> notes) {
  using diagnostics::Addresses;
  for (std::string& note : notes) note = diagnostics::without_userinfo(std::move(note), Addresses::kAny);
  message = diagnostics::without_userinfo(std::move(message), Addresses::kAny);
  help = diagnostics::without_userinfo(std::move(help), Addresses::kAny);
  diagnostics_.push_back({std::string(code), severity, std::move(position), std::move(message), std::move(help), std::move(notes)});
}

std::vector<Diagnostic> Report::take() {
  const auto rank = [this](const Diagnostic& diagnostic) {
    const Position& position = diagnostic.position;
    return std::tuple(texts_->order(position.file), position.line, position.column);
  };
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(),
                   [&](const Diagnostic& left, const Diagnostic& right) { return rank(left) < rank(right); });
  std::vector<Diagnostic> result;
  for (auto& diagnostic : diagnostics_) {
    const bool known = std::any_of(result.begin(), result.end(), [&](const Diagnostic& other) {
      return other.code == diagnostic.code && other.message == diagnostic.message && other.position.file == diagnostic.position.file &&
             other.position.line == diagnostic.position.line && other.position.column == diagnostic.position.column;
    });
    if (!known) result.push_back(std::move(diagnostic));
  }
  diagnostics_.clear();
  errors_ = 0;
  return result;
}

std::string place(const Position& position) {
  if (position.line == 0) return position.file;
  return position.file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

}  // namespace cdcrt::manifest
