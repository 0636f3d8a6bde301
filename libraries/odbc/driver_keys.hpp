// Which keys a driver's connection string has. Drivers pass over what they do not know without a word.
#pragma once

#include "odbc/connection_string.hpp"

namespace cdcrt::odbc {

/// BAD_CONFIG names the first key that the driver does not know, and the one that may be meant. Drivers whose keys are not known here,
/// and data sources of odbc.ini, are not judged.
sdk::Status check_driver_keys(const ConnectionSettings& settings);

}  // namespace cdcrt::odbc
