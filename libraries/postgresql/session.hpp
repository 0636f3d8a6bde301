// A session of PostgreSQL: the settings that the rest relies on, and questions with one answer.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/clock.hpp"
#include "cdcrt/sdk/status.hpp"
#include "sql/session.hpp"

namespace cdcrt::postgresql {

/// What the server is told to end by itself; 0: never.
struct SessionTimeouts {
  std::chrono::microseconds lock{0}, statement{0}, idle_in_transaction{0};
};

/// Sets the session up and refuses one that would change values on their way. `default_schema`: where tables without one are.
sdk::Status set_up(sql::Session& session, const SessionTimeouts& timeouts, std::string& default_schema);
/// What time the server has.
sdk::Status read_clock(sql::Session& session, std::vector<sdk::Clock>& out);
/// First field of the first row; `null`: there is none.
sdk::Status answer(sql::Session& session, std::string_view text, std::initializer_list<std::string_view> parameters, std::string& out,
                   bool& null, std::string_view what);

}  // namespace cdcrt::postgresql
