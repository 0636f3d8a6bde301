// What the process answers to its caller.
#pragma once

namespace cdcrt::cli {

enum ExitCode : int {
  kDone = 0,
  kRunTimeFailure = 1,
  kManifestOrUsage = 2,
  kEnvironment = 3,  ///< unreachable, missing driver, missing or refused plugin
  kDoneWithDeadLetters = 4,
};

}  // namespace cdcrt::cli
