// A login as secrets managers keep it: who, and where, as one JSON object.
#pragma once

#include <string_view>

#include "odbc/connection_string.hpp"

namespace cdcrt::odbc {

/// Adds UID and PWD of {"username":..,"password":..,"host":..,"port":..,"dbname":..} to the connection, and Server, Port and Database where
/// the connection does not name them itself. BAD_CONFIG, without a word of what it holds: no such object, no user or password, or the
/// connection names a user or password too.
sdk::Status add_login(std::string_view json, ConnectionSettings& settings);

}  // namespace cdcrt::odbc
