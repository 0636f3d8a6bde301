// A session of PostgreSQL: the settings that the rest relies on, and questions with one answer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"
#include "odbc/session.hpp"
#include "odbc_connection.hpp"

namespace cdcrt::odbc {

/// Sets the session up and refuses one that would change values on their way. `default_schema`: where tables without one are.
sdk::Status set_up_postgresql(Session& session, const SessionTimeouts& timeouts, std::string& default_schema);
/// First field of the first row; `null`: there is none.
sdk::Status answer(Session& session, std::string_view text, std::initializer_list<std::string_view> parameters, std::string& out,
                   bool& null, std::string_view what);

}  // namespace cdcrt::odbc
