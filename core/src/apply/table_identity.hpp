// TableIdentity: names and settings of a target table.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "apply/table_observer.hpp"
#include "cdcrt/abi/sink.h"
#include "route/settings.hpp"

namespace cdcrt::apply {

struct SinkCounts;

struct TableIdentity {
  std::string sink;
  std::string schema;  ///< empty where the target has none
  std::string name;
  std::string source_name;    ///< database.schema.table of the first shape
  std::string source_server;  ///< empty: unknown
  bool is_refused = false;    ///< stands for a source table that gets no target table: only says why
  route::Route route;
  bool events = false;                     ///< the sink takes every change in order
  cdcrt_limits limits{};                   ///< of the sink's definitions
  std::atomic<int64_t>* memory = nullptr;  ///< counts the bytes that folds and sealed batches hold; may be null
  TableObserver* observer = nullptr;       ///< may be null
  SinkCounts* counts = nullptr;            ///< may be null
  /// Rows that were written may change again (neither an archive of events nor append only).
  [[nodiscard]] bool keeps_rows() const { return !events && route.mode != route::Mode::kAppend; }
  [[nodiscard]] std::string target() const { return schema.empty() ? name : schema + "." + name; }
  /// The same for folding aside (RowsAside): no observer, no memory accounting.
  [[nodiscard]] TableIdentity aside() const {
    TableIdentity identity = *this;
    identity.memory = nullptr;
    identity.observer = nullptr;
    identity.counts = nullptr;
    identity.route.match.clear();  // the table itself has judged what the route names
    return identity;
  }
};

}  // namespace cdcrt::apply
