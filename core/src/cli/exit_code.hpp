// What the process answers to its caller.
#pragma once

#include "diagnostics/ending.hpp"

namespace cdcrt::cli {

enum ExitCode : int {
  kDone = 0,
  kRunTimeFailure = 1,
  kManifestOrUsage = 2,
  kEnvironment = 3,  ///< unreachable, missing driver, missing or refused plugin
  kDoneWithDeadLetters = 4,
};

constexpr ExitCode exit_code_of(diagnostics::Ending ending) {
  switch (ending) {
    case diagnostics::Ending::kDone: return kDone;
    case diagnostics::Ending::kManifest: return kManifestOrUsage;
    case diagnostics::Ending::kEnvironment: return kEnvironment;
    case diagnostics::Ending::kDoneWithDeadLetters: return kDoneWithDeadLetters;
    default: return kRunTimeFailure;
  }
}

}  // namespace cdcrt::cli
