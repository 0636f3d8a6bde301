// Commands that begin by loading a manifest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifest/manifest.hpp"

namespace cdcrt::cli {

/// What every command that loads a manifest is told.
struct ManifestArguments {
  std::vector<std::string> files;
  std::vector<std::string> sets;
  std::string stop;
  bool json_output = false;
  bool json_logs = false;  ///< of `run`: what is wrong is said in the log's form
};

/// Whether ${aws-sm:...} and ${redshift-iam:...} are resolved, or only checked for their form by commands that must not need a network;
/// or those outside of sources, sinks and dead letters alone.
enum class Secrets { kRead, kCheck, kReadOfProcess };

/// Loads; prints what is wrong (text to standard error, JSON to standard output). nullopt: `exit_code` says how to end.
std::optional<manifest::Manifest> load_or_explain(const ManifestArguments& arguments, int& exit_code, Secrets secrets = Secrets::kRead);

/// Checks the manifest and lets every plugin judge its settings, without a network and without secrets, and prints what it holds.
/// `probe`: connects to everything as a start would, writes nothing.
int validate(const ManifestArguments& arguments, bool probe);

/// Says which route a table takes and what it is called in the target. `table`: database.schema.table or its last parts;
/// `topic` and `source` fill those placeholders, a source may be left out when there is one.
int explain_route(const ManifestArguments& arguments, const std::string& table, const std::string& topic, const std::string& source);

}  // namespace cdcrt::cli
