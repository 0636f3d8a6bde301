// Opening a session for a command, and telling what is wrong.
#pragma once

#include <optional>
#include <string>

#include "cli/repair_arguments.hpp"
#include "repair/session.hpp"

namespace cdcrt::cli {

/// A manifest with its targets open; on the heap, since the session borrows from the manifest.
struct OpenedPipeline {
  manifest::Manifest manifest;
  repair::Session session;
};

/// nullptr: it was explained, `exit_code` says how to end.
std::unique_ptr<OpenedPipeline> open_pipeline(const RepairArguments& arguments, repair::Session::Intent intent, int& exit_code);

/// Prints the error; its exit code.
int explain_failure(const OpenedPipeline& pipeline, const plugin::Component& component, const Error& error, bool json);

/// Seconds since then as people say it: "3 s", "2 min", "5 h", "3 days".
std::string duration_text(int64_t seconds);
std::string time_text(int64_t milliseconds);
/// host:process of an owner, without its mark.
std::string owner_text(const std::string& owner);
std::string number_or_unknown(const std::optional<int64_t>& number);
std::string json_or_null(const std::optional<int64_t>& number);

}  // namespace cdcrt::cli
