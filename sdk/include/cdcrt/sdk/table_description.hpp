// TableDescription: what a sink's catalog says about one table. Header-only, C++17.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Owns the names and types of its columns. One thread.
class TableDescription {
 public:
  /// A column in the table's order. `key_ordinal`: 1-based place in the primary key, 0: not in it.
  void add(std::string_view name, cdcrt_type type, std::string_view raw_type, bool not_null, uint32_t key_ordinal) {
    cdcrt_column column{};
    column.name = keep(name);
    column.type = type;
    column.flags = not_null ? static_cast<uint32_t>(CDCRT_COLUMN_NOT_NULL) : 0U;
    column.key_ordinal = key_ordinal;
    column.target_type = keep(raw_type);
    columns_.push_back(column);
    exists_ = true;
  }
  void set_exists(bool exists) { exists_ = exists; }
  void set_view(bool is_view) { is_view_ = is_view; }
  /// Names of columns that differ in ASCII case only are the same column in the target.
  void set_folds_names(bool folds) { folds_names_ = folds; }
  [[nodiscard]] bool exists() const { return exists_; }
  [[nodiscard]] bool is_view() const { return is_view_; }
  [[nodiscard]] std::vector<cdcrt_column>& columns() { return columns_; }
  [[nodiscard]] const std::vector<cdcrt_column>& columns() const { return columns_; }

  /// `out` owns the description from here, through its release function.
  static void hand_over(std::unique_ptr<TableDescription> description, cdcrt_table_description* out) {
    out->exists = description->exists_ ? 1 : 0;
    out->is_view = description->is_view_ ? 1 : 0;
    out->folds_names = description->folds_names_ ? 1 : 0;
    out->columns = description->columns_.data();
    out->column_count = static_cast<uint32_t>(description->columns_.size());
    out->column_size = sizeof(cdcrt_column);
    out->owner = description.release();
    out->release = [](cdcrt_table_description* done) {
      delete static_cast<TableDescription*>(done->owner);
      done->owner = nullptr;
      done->release = nullptr;
    };
  }

 private:
  cdcrt_string keep(std::string_view text) { return borrow(texts_.emplace_back(text)); }

  std::deque<std::string> texts_;  // a deque never moves what it holds
  std::vector<cdcrt_column> columns_;
  bool exists_ = false;
  bool is_view_ = false;
  bool folds_names_ = false;
};

}  // namespace cdcrt::sdk
