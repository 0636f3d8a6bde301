// Ending: how a run or a command ends. The command line makes exit codes of it.
#pragma once

#include <cstdint>

namespace cdcrt::diagnostics {

/// Of several the greatest counts.
enum class Ending : uint8_t {
  kDone,
  kRunTimeFailure,
  kManifest,
  kEnvironment,  ///< unreachable, missing driver, missing or refused plugin
  kDoneWithDeadLetters
};

}  // namespace cdcrt::diagnostics
