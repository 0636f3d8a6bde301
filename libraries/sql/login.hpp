// Login: what a secret store answers for a database's user, as sinks take it in their option `login`.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// Username and password are there; the rest is empty where the login does not say it. No member holds a NUL character.
struct Login {
  std::string username, password, host, port, dbname;
};

/// Reads a JSON object of texts and numbers, as AWS Secrets Manager keeps it for databases
/// (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html); other members are not looked at.
/// Errors: BAD_CONFIG for the option `login`, without anything of its value.
sdk::Status read_login(std::string_view json, Login& out);

/// BAD_CONFIG: the connection's `key` says what the login says too.
sdk::Status login_said_twice(const std::string& key);

}  // namespace cdcrt::sql
