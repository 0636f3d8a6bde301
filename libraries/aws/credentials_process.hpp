// credential_process of a profile: a command that prints keys as JSON.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

/// What a command printed and how it ended.
struct ProcessOutput {
  std::string text;          ///< of its standard output; may hold keys, so that it is shown nowhere
  std::string last_words;    ///< last line of its standard error
  int exit_code = 0;         ///< 128 + signal when a signal ended it
  bool timed_out = false;    ///< and was killed, with its children
  bool interrupted = false;  ///< likewise
};

/// By /bin/sh, with the signals that a command expects. Fails when it cannot be started.
bool run_command(const std::string& command, std::chrono::milliseconds timeout, const Interrupted& interrupted, ProcessOutput& out);

/// {"Version":1,"AccessKeyId":..,"SecretAccessKey":..,"SessionToken":..,"Expiration":..}; `shown`: "profile 'etl'".
std::unique_ptr<CredentialsSource> process_keys(std::string shown, std::string command, Interrupted interrupted);

}  // namespace cdcrt::aws
