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

/// A kind of reference beside env and file: ${NAME:...}. Whoever loads the manifest says which there are. One thread at a time.
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
  std::string only_sink;     ///< only this sink's secrets are read, not those of other sinks and sources; empty: all
  /// out: sinks with a value that may change while they run (a secret, a file), and when the first of these values expires.
  std::map<std::string, GoodUntil> changing;
};

}  // namespace cdcrt::manifest
