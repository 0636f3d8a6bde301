// What connections of database sinks say of their transaction.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// What a write of this cdcrt_write_kind does to a table: "upsert into".
std::string_view verb(uint32_t kind);

/// "cannot upsert into table "x"": before the reason.
std::string doing(std::string_view what, const cdcrt_table& table);

/// RETRY where the transaction is broken: a statement of it failed, and only a rollback may follow.
sdk::Status usable(bool is_broken);

}  // namespace cdcrt::sql
