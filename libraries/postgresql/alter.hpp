// Definitions that PostgreSQL's catalog has a say in.
#pragma once

#include <string>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "postgresql/dialect.hpp"
#include "sql/session.hpp"

namespace cdcrt::postgresql {

/// Makes the table's schema where there is none.
sdk::Status ensure_schema(sql::Session& session, const sql::Dialect& dialect, const cdcrt_table& table, const std::string& what);
/// The statement that changes the column to its new type, from the one that it has now.
sdk::Status alter_column_type(sql::Session& session, const sql::Dialect& dialect, const cdcrt_table& table, const cdcrt_change& change,
                              std::string& text);
/// Gives the column its new name; no error where it has it.
sdk::Status rename_column(sql::Session& session, const sql::Dialect& dialect, const cdcrt_table& table, const cdcrt_column& column,
                          const std::string& what);

}  // namespace cdcrt::postgresql
