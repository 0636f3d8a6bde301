// A connection to PostgreSQL, through any driver.
#pragma once

#include <memory>

#include "cdcrt/abi/sink.h"
#include "postgresql/copy_trials.hpp"
#include "postgresql/session.hpp"
#include "sql/looks.hpp"
#include "sql/target_connection.hpp"

namespace cdcrt::postgresql {

/// `looks` and `trials` must outlive it. `trials`: null where nothing is copied.
std::unique_ptr<sql::TargetConnection> make_connection(std::unique_ptr<sql::Session> session, const SessionTimeouts& timeouts,
                                                       sql::Looks& looks, CopyTrials* trials = nullptr);

/// What a server of PostgreSQL can hold.
void tell_limits(cdcrt_limits& limits);

}  // namespace cdcrt::postgresql
