// ColumnList: the columns of a table, and a copy of them for whoever reads without the table's lock.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "evolution/column.hpp"

namespace cdcrt::evolution {

/// By slot. Not thread-safe; what share() gave out may be read by any thread, and never changes.
class ColumnList {
 public:
  using Shared = std::shared_ptr<const std::vector<Column>>;

  [[nodiscard]] const std::vector<Column>& all() const { return all_; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] auto begin() const { return all_.begin(); }
  [[nodiscard]] auto end() const { return all_.end(); }
  const Column& operator[](std::size_t slot) const { return all_[slot]; }
  /// The same copy as the last time, unless one of those below was called since. A batch of one or two rows takes it with each write.
  [[nodiscard]] Shared share() {
    if (!shared_) shared_ = std::make_shared<const std::vector<Column>>(all_);
    return shared_;
  }

  // What may change a column.

  Column& operator[](std::size_t slot) { return edit()[slot]; }
  [[nodiscard]] auto begin() { return edit().begin(); }
  [[nodiscard]] auto end() { return edit().end(); }
  Column& back() { return edit().back(); }
  Column& emplace_back() { return edit().emplace_back(); }
  void push_back(Column column) { edit().push_back(std::move(column)); }

 private:
  std::vector<Column>& edit() {
    shared_.reset();
    return all_;
  }
  std::vector<Column> all_;
  Shared shared_;
};

}  // namespace cdcrt::evolution
