// What ${...} references may ask for, and what was asked.
#pragma once

#include <functional>
#include <string>

#include "diagnostics/result.hpp"

namespace cdcrt::manifest {

/// Reads what stands behind "aws-sm:" ("id" or "id#key"). BAD_CONFIG with config_key "syntax" when that names no secret.
using FindSecret = std::function<Result<std::string>(const std::string& reference)>;

struct References {
  FindSecret find_secret;
  bool read_secrets = true;  ///< false: their form is checked, and what they stand for stays unset
  bool may_change = false;   ///< out: something was read that may be another thing later (a secret, a file)
};

/// Secrets of AWS Secrets Manager. Each id is asked for once in the life of the function, also when that fails. One thread at a time.
FindSecret amazon_secrets();

/// Nothing is asked: an error only where `reference` names no secret.
Result<void> check_secret_reference(const std::string& reference);

}  // namespace cdcrt::manifest
