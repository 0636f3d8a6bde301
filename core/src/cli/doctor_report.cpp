#include "cli/doctor_report.hpp"

#include <algorithm>
#include <ostream>

#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;
using Status = DoctorCheck::Status;

constexpr std::size_t kSubjectWidth = 18;

struct Word {
  const char* text;
  const char* colour;
};

Word word_of(Status status) {
  switch (status) {
    case Status::kOk: return {"ok", "\033[32m"};
    case Status::kWarning: return {"warning", "\033[33m"};
    default: return {"failed", "\033[31m"};
  }
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t length = diagnostics::count_characters(text);
  text.append(length < width ? width - length : 1, ' ');
  return text;
}

// Drivers end and break their lines as they like.
std::string in_one_line(const std::string& text) {
  std::string line;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    part.erase(0, part.find_first_not_of(" \t\r"));
    if (!part.empty()) line += (line.empty() ? "" : "; ") + part;
    begin = end + 1;
  }
  return line;
}

std::string text_of(const diagnostics::Diagnostic& diagnostic) {
  std::string text;
  const auto& place = diagnostic.position;
  if (!place.file.empty()) {
    text = place.file + ":";
    if (place.line > 0) text += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
    text += " ";
  }
  text += diagnostic.message;
  for (const auto& note : diagnostic.notes) text += "\n" + note;
  return text;
}

}  // namespace

void DoctorReport::ok(std::string subject, std::string message) { add({Status::kOk, std::move(subject), std::move(message), {}}); }

void DoctorReport::warn(std::string subject, std::string message, std::string fix) {
  add({Status::kWarning, std::move(subject), std::move(message), std::move(fix)});
}

void DoctorReport::fail(std::string subject, std::string message, std::string fix, int exit_code) {
  exit_code_ = exit_code_ == 0 ? exit_code : exit_code_ == 2 || exit_code == 2 ? 2 : std::max(exit_code_, exit_code);
  add({Status::kFailed, std::move(subject), std::move(message), std::move(fix)});
}

void DoctorReport::fail(std::string subject, const diagnostics::Diagnostic& diagnostic, int exit_code) {
  fail(std::move(subject), text_of(diagnostic), diagnostic.help, exit_code);
}

void DoctorReport::warn(std::string subject, const diagnostics::Diagnostic& diagnostic) {
  warn(std::move(subject), text_of(diagnostic), diagnostic.help);
}

void DoctorReport::add(DoctorCheck check) {
  check.message = in_one_line(check.message);
  check.fix = in_one_line(check.fix);
  checks_.push_back(std::move(check));
  if (!json_) print(checks_.back());
}

void DoctorReport::print(const DoctorCheck& check) {
  const Word word = word_of(check.status);
  out_ << (colour_ ? word.colour : "") << padded(word.text, 9) << (colour_ ? "\033[0m" : "")
       << padded(diagnostics::printable(check.subject), kSubjectWidth) << diagnostics::printable(check.message) << "\n";
  if (!check.fix.empty()) out_ << padded("", 9) << padded("fix:", kSubjectWidth) << diagnostics::printable(check.fix) << "\n";
  out_.flush();
}

std::size_t DoctorReport::count(Status status) const {
  return static_cast<std::size_t>(
      std::count_if(checks_.begin(), checks_.end(), [&](const DoctorCheck& check) { return check.status == status; }));
}

int DoctorReport::finish() {
  const std::size_t failed = count(Status::kFailed), warnings = count(Status::kWarning), ok = count(Status::kOk);
  if (!json_) {
    out_ << "\n" << ok << " ok, " << warnings << (warnings == 1 ? " warning, " : " warnings, ") << failed << " failed\n";
    return exit_code_;
  }
  out_ << "{\"checks\":[";
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    const DoctorCheck& check = checks_[i];
    out_ << (i == 0 ? "" : ",") << "{\"status\":\"" << word_of(check.status).text << "\",\"subject\":" << json_string(check.subject)
         << ",\"message\":" << json_string(check.message);
    if (!check.fix.empty()) out_ << ",\"fix\":" << json_string(check.fix);
    out_ << "}";
  }
  out_ << "],\"ok\":" << ok << ",\"warnings\":" << warnings << ",\"failed\":" << failed << "}\n";
  return exit_code_;
}

}  // namespace cdcrt::cli
