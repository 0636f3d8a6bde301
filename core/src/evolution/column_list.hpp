// ColumnList: the columns of a table, for those who change them and for those who read them later without the table's lock.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "evolution/column.hpp"

namespace cdcrt::evolution {

/// By slot. Not thread-safe; what share() gave out may be read by any thread, and never changes: whoever changes a column afterwards gets
/// a copy of them all. A reference from before that still has what was then, until share() is called again.
class ColumnList {
 public:
  using Shared = std::shared_ptr<const std::vector<Column>>;

  ColumnList() = default;
  ColumnList(const ColumnList& other) : all_(std::make_shared<std::vector<Column>>(*other.all_)) {}
  ColumnList& operator=(const ColumnList&) = delete;

  [[nodiscard]] const std::vector<Column>& all() const { return *all_; }
  [[nodiscard]] std::size_t size() const { return all_->size(); }
  [[nodiscard]] auto begin() const { return all().begin(); }
  [[nodiscard]] auto end() const { return all().end(); }
  const Column& operator[](std::size_t slot) const { return all()[slot]; }
  /// A batch of one or two rows takes them with each write, and nothing is copied while they stay as they are.
  [[nodiscard]] Shared share() {
    is_shared_ = true;
    before_.reset();
    return all_;
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
    if (std::exchange(is_shared_, false)) {
      before_ = std::move(all_);
      all_ = std::make_shared<std::vector<Column>>(*before_);
    }
    return *all_;
  }
  std::shared_ptr<std::vector<Column>> all_ = std::make_shared<std::vector<Column>>();
  std::shared_ptr<const std::vector<Column>> before_;  ///< those that were shared last
  bool is_shared_ = false;
};

}  // namespace cdcrt::evolution
