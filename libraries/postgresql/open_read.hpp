// OpenRead: a read on its way, and how its rows are told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "postgresql/catalog.hpp"
#include "postgresql/foreseen.hpp"
#include "sql/session.hpp"

namespace cdcrt::postgresql {

/// A read whose statement is bound, or sent.
struct OpenRead {
  const cdcrt_read* read = nullptr;
  std::string table_key;  // as the connections of a sink know the table
  std::string what;
  sql::Query* query = nullptr;
  std::vector<const CatalogColumn*> columns;
  std::shared_ptr<const CatalogTable> table;  // whose they are
  std::vector<Foreseen::Found> rows;          // foreseen: there is no query to ask
  std::string learns;                         // the statement whose rows are to be known in later transactions
};

/// Tells all rows to the host, once they are there. `largest` receives the length of the longest value.
sdk::Status visit_rows(const OpenRead& open, ForeseenReads& foreseen, std::size_t& largest);

}  // namespace cdcrt::postgresql
