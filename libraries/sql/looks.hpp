// Looks: which tables were looked at or changed by one of a sink's connections since another one read their columns.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace cdcrt::sql {

/// One per sink, shared by its connections; thread-safe. The host describes a table whenever its definition may be another one,
/// on any of the connections: what the others know of its columns is old from then on, and values would be cast to what they were.
class Looks {
 public:
  [[nodiscard]] uint64_t of(const std::string& table) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(table);
    return found == counts_.end() ? 0 : found->second;
  }
  void raise(const std::string& table) {
    const std::lock_guard lock(mutex_);
    ++counts_[table];
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> counts_;
};

/// What a connection knows of a table's columns, and since which look.
template <typename Columns>
struct Known {
  Columns columns;
  uint64_t look = 0;
};

}  // namespace cdcrt::sql
