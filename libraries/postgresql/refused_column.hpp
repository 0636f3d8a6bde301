// Which column's value the server refused.
#pragma once

#include <functional>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "postgresql/catalog.hpp"
#include "sql/session.hpp"

namespace cdcrt::postgresql {

/// `status`, of a value that the server refused (SQLSTATE class 22) in a write of one row, with the column's name. Few of the server's
/// messages say whose value it is, so each is tried alone; `back` makes the transaction take statements again. `status` as it is where
/// none is refused alone.
sdk::Status name_refused_column(sql::Session& session, const CatalogTable& catalog, const cdcrt_write& write, sdk::Status status,
                                const std::function<sdk::Status()>& back);

}  // namespace cdcrt::postgresql
