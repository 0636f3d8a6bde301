// What ${...} references may ask for, and what was asked.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"

namespace cdcrt::manifest {

using GoodUntil = std::optional<std::chrono::system_clock::time_point>;

struct Secret {
  std::string text;
  GoodUntil good_until;  ///< of what expires by itself; nullopt: until somebody changes it
};

/// A kind of reference beside env, file and credential: ${NAME:...}. Whoever loads the manifest says which there are. One thread at a time.
struct SecretKind {
  std::string name;  ///< "aws-sm"
  std::string form;  ///< "${aws-sm:ID#KEY}", for advice
  /// Looks at the form alone and asks no service: an error where the text after the colon names no secret.
  std::function<Result<void>(const std::string& reference)> check;
  std::function<Result<Secret>(const std::string& reference)> read;
};

struct References {
  std::vector<SecretKind> kinds;
  bool read_secrets = true;  ///< false: their form is checked, and what they stand for stays unset
  std::string only;          ///< only the secrets of this component are read, "sinks.NAME", not those of others; empty: all
  /// out: components with a value that may change while they run (a secret, a file), and when the first of these values expires:
  /// "sources.NAME", "sinks.NAME", "dead_letters".
  std::map<std::string, GoodUntil> changing;
};

}  // namespace cdcrt::manifest
