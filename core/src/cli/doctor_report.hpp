// DoctorReport: what `cdcrt doctor` looked at, a line for each check, told as soon as it is known.
#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "diagnostics/diagnostic.hpp"

namespace cdcrt::cli {

struct DoctorCheck {
  enum class Status { kOk, kWarning, kFailed };
  Status status = Status::kOk;
  std::string subject;  ///< "sink warehouse"
  std::string message;  ///< what was found; one line
  std::string fix;      ///< what to do; empty where it is well
};

/// Not thread-safe.
class DoctorReport {
 public:
  /// `json`: nothing is written before finish(). `out` outlives the report.
  DoctorReport(std::ostream& out, bool json, bool colour) : out_(out), json_(json), colour_(colour) {}

  void ok(std::string subject, std::string message);
  /// Hinders no start.
  void warn(std::string subject, std::string message, std::string fix);
  void fail(std::string subject, std::string message, std::string fix, int exit_code);
  /// Its place, message, notes and help.
  void fail(std::string subject, const diagnostics::Diagnostic& diagnostic, int exit_code);
  void warn(std::string subject, const diagnostics::Diagnostic& diagnostic);

  /// Writes the end. The exit code: 0 where nothing failed, else that of what failed, what is wrong in the manifest before all.
  int finish();

 private:
  void add(DoctorCheck check);
  void print(const DoctorCheck& check);
  [[nodiscard]] std::size_t count(DoctorCheck::Status status) const;

  std::ostream& out_;
  const bool json_, colour_;
  std::vector<DoctorCheck> checks_;
  int exit_code_ = 0;
};

}  // namespace cdcrt::cli
