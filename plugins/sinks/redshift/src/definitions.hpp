// Definitions: changes of one table within what Redshift allows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog.hpp"
#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "table_write.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

/// Carries one change out, in the transaction that is open. A column that only has to grow is added to `widenings` instead, and
/// STALE_SCHEMA answered: that cannot be done inside of a transaction. `remarks`: what the operator should know of a change that was made.
sdk::Status apply_change(TargetSession& session, const cdcrt_table& table, const cdcrt_change& change, std::vector<Widening>& widenings,
                         std::vector<std::string>& remarks);

}  // namespace cdcrt::redshift
