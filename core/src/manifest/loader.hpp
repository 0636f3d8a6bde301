// The one loader that `run`, `validate` and every other command share: what validate accepts, run accepts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diagnostics/diagnostic.hpp"
#include "diagnostics/result.hpp"
#include "diagnostics/source_texts.hpp"
#include "manifest/manifest.hpp"
#include "manifest/references.hpp"

namespace cdcrt::manifest {

struct LoadRequest {
  std::vector<std::string> files;  ///< at least one; later ones overlay earlier ones
  std::vector<std::string> sets;   ///< "a.b=c", laid over all files
  std::string stop;                ///< --stop: the `stop` of every source that has one; empty: as the manifest says
  /// Where descriptors come from: (kind, name or path). Empty: the plugin registry and its search places.
  std::function<Result<const cdcrt_plugin*>(uint32_t, const std::string&)> find_plugin;
  bool read_secrets = true;  ///< false: references to secrets are only checked, and the option stays unset
  std::string only;          ///< see References
  /// The kinds of references beside ${env:...}, ${file:...} and ${credential:...}, anew for each reading; empty: there are none.
  std::function<std::vector<SecretKind>()> secret_kinds;
};

struct Loaded {
  std::optional<Manifest> manifest;                       ///< set when nothing is wrong
  std::vector<diagnostics::Diagnostic> diagnostics;       ///< all problems, sorted by position; warnings too
  bool environment_error = false;                         ///< problems of the environment only (plugins): exit code 3, not 2
  std::shared_ptr<const diagnostics::SourceTexts> texts;  ///< to render the diagnostics with; never null
};

/// Reads, merges, resolves and checks. Loads the plugins that the manifest names and asks for the secrets it refers to; touches nothing
/// else.
Loaded load(const LoadRequest& request);

}  // namespace cdcrt::manifest
