// Definitions of tables: what CREATE TABLE has alike in all dialects.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// The columns of the key, in its order.
std::vector<const cdcrt_column*> key_columns(const cdcrt_column* columns, uint32_t count);

/// True where the column has a default that is not NULL.
bool has_default(const cdcrt_column& column);

/// The type that the manifest asks for; empty: none.
std::string_view requested_type(const cdcrt_column& column);

using AppendColumn = std::function<sdk::Status(std::string& out, const cdcrt_column& column)>;

/// Names, joined.
sdk::Status append_names(std::string& out, const std::vector<const cdcrt_column*>& columns, const AppendColumn& name);

/// CREATE TABLE IF NOT EXISTS with its columns and, where it is declared, its primary key. `definition`: name, type and default of a
/// column; those of the key are NOT NULL beside it.
sdk::Status append_create_table(std::string& out, std::string_view quoted_table, const cdcrt_column* columns, uint32_t count,
                                bool declares_key, const AppendColumn& name, const AppendColumn& definition);

}  // namespace cdcrt::sql
