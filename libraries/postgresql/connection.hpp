// A connection to PostgreSQL, through any driver.
#pragma once

#include <memory>

#include "cdcrt/abi/sink.h"
#include "postgresql/session.hpp"
#include "sql/looks.hpp"
#include "sql/target_connection.hpp"

namespace cdcrt::postgresql {

/// `looks` must outlive it.
std::unique_ptr<sql::TargetConnection> make_connection(std::unique_ptr<sql::Session> session, const SessionTimeouts& timeouts,
                                                       sql::Looks& looks);

/// What a server of PostgreSQL can hold.
void tell_limits(cdcrt_limits& limits);

}  // namespace cdcrt::postgresql
