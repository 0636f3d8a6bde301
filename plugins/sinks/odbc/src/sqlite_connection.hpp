// A connection to a database file of SQLite.
#pragma once

#include <memory>

#include "odbc/connection_string.hpp"
#include "odbc/session.hpp"
#include "sql/target_connection.hpp"

namespace cdcrt::odbc {

/// `settings` and `looks` must outlive it.
std::unique_ptr<sql::TargetConnection> make_sqlite_connection(std::unique_ptr<Session> session, const ConnectionSettings& settings,
                                                              sql::Looks& looks);

}  // namespace cdcrt::odbc
