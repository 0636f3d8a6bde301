// Settings of the format dms, as the manifest gives them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::dms {

/// How columns of the row before a change are called among those after it (DMS: add-before-image-columns).
struct BeforeNames {
  std::string prefix, suffix;

  [[nodiscard]] bool is_off() const { return prefix.empty() && suffix.empty(); }
  /// The column that `name` tells the value before of; empty: it is a column itself.
  [[nodiscard]] std::string_view column_of(std::string_view name) const {
    const bool is_before = !is_off() && name.size() > prefix.size() + suffix.size() && name.substr(0, prefix.size()) == prefix &&
                           name.substr(name.size() - suffix.size()) == suffix;
    return is_before ? name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()) : std::string_view();
  }
};

/// A column whose empty texts DMS leaves out as it does NULLs.
struct EmptyColumn {
  std::string table;  ///< glob of schema.table
  std::string column;
};

struct Settings {
  std::string before_image_field;  ///< empty: whatever object stands beside data, control and metadata
  BeforeNames before_names;
  bool includes_nulls = false;     ///< the endpoint's IncludeNullAndEmpty
  bool deletes_have_rows = false;  ///< null in a delete is a NULL of the row
  bool loads_count_by_time = false;
  std::vector<EmptyColumn> empty_columns;
};

}  // namespace cdcrt::dms
