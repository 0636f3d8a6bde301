// The kinds of ${...} references that ask Amazon: ${aws-sm:...} and ${redshift-iam:...}.
#pragma once

#include <vector>

#include "manifest/references.hpp"

namespace cdcrt::cli {

/// For one reading of a manifest: each secret and each login is asked for once, also when that fails.
std::vector<manifest::SecretKind> amazon_secrets();

}  // namespace cdcrt::cli
