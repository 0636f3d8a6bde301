// What COPY had against a file: SYS_LOAD_ERROR_DETAIL, else STL_LOAD_ERRORS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

/// BAD_RECORD that names file, line, column, reason and value of the first errors; `copy_status` where the tables tell nothing of
/// these files. Outside of a transaction: the errors outlive the one that was rolled back.
sdk::Status explain_load(TargetSession& session, const std::vector<std::string>& urls, sdk::Status copy_status, std::string_view what);

/// Whether COPY refused what it read, and where it told why was not found.
bool is_unexplained(const sdk::Status& status);

}  // namespace cdcrt::redshift
