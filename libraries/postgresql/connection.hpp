// A connection to PostgreSQL, through any driver.
#pragma once

#include <memory>

#include "cdcrt/abi/sink.h"
#include "postgresql/foreseen.hpp"
#include "postgresql/known_tables.hpp"
#include "postgresql/session.hpp"
#include "postgresql/trials.hpp"
#include "sql/looks.hpp"
#include "sql/target_connection.hpp"

namespace cdcrt::postgresql {

/// What the connections of a sink share, beside `looks`. Null: that way is not gone.
struct ShorterWays {
  Trials* copies = nullptr;        ///< of sets that may be new
  Foreseen* foreseen = nullptr;    ///< rows that need not be waited for
  Trials* answers = nullptr;       ///< of writes that need not be waited for
  SharedTables* tables = nullptr;  ///< read by one of them for all
};

/// `looks` and `ways` must outlive it.
std::unique_ptr<sql::TargetConnection> make_connection(std::unique_ptr<sql::Session> session, const SessionTimeouts& timeouts,
                                                       sql::Looks& looks, const ShorterWays& ways = {});

/// What a server of PostgreSQL can hold.
void tell_limits(cdcrt_limits& limits);

}  // namespace cdcrt::postgresql
