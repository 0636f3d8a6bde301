// What the process answers to its caller.
#pragma once

#include <array>

#include "diagnostics/ending.hpp"

namespace cdcrt::cli {

enum ExitCode : int {
  kDone = 0,
  kRunTimeFailure = 1,
  kManifestOrUsage = 2,
  kEnvironment = 3,  ///< unreachable, missing driver, missing or refused plugin
  kDoneWithDeadLetters = 4,
};

struct ExitMeaning {
  ExitCode code;
  const char* meaning;
};
/// For manual and reference.
constexpr std::array<ExitMeaning, 5> kExitMeanings{
    {{kDone, "done: the sources ended, or SIGTERM or SIGINT came and what was buffered is written"},
     {kRunTimeFailure,
      "failure while running: a table stopped, a plugin broke its contract, another process took over, a file is damaged, "
      "`shutdown_timeout` passed, more dead letters than the budget allows"},
     {kManifestOrUsage, "the manifest or the command line is wrong"},
     {kEnvironment, "the environment: unreachable at the start, credentials refused; a database, a right, a driver or a plugin missing"},
     {kDoneWithDeadLetters, "done, with dead letters; of `dlq replay`: some stay open"}}};

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
