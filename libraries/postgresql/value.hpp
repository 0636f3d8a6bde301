// A value as one column of PostgreSQL takes it: what the server would change without a word is caught here.
#pragma once

#include <string>

#include "cdcrt/sdk/status.hpp"
#include "postgresql/catalog.hpp"

namespace cdcrt::postgresql {

/// Makes `cell`, which is set, a value that `target` keeps as it is; new bytes go into `buffer`. What it cannot keep is cut or made NULL
/// where the column's flags allow that (counted in `overflowed`), else BAD_RECORD, naming column and value.
sdk::Status to_native(const CatalogColumn& target, const cdcrt_column& column, cdcrt_cell& cell, std::string& buffer, uint64_t& overflowed);

/// The server's text of a value as a cell of the wanted type; of an array, where JSON is wanted, its JSON. Borrows from `text` or `buffer`.
cdcrt_cell from_native(const CatalogColumn& target, cdcrt_type wanted, const std::string& text, std::string& buffer);

/// The logical type of the column; of an array, with that of its elements.
cdcrt_type type_of(const CatalogColumn& column);

}  // namespace cdcrt::postgresql
