// RowLayout: the members of a row object in their order, and what each is of a table's shape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/bounded_cache.hpp"
#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/table_shape.hpp"
#include "metadata.hpp"
#include "settings.hpp"

namespace cdcrt::dms {

struct RowLayout {
  struct Member {
    uint32_t column = 0;
    bool before = false;  ///< the column's value before the change
  };
  uint32_t shape = 0;
  uint32_t columns = 0;
  std::vector<Member> members;          ///< of data
  std::vector<uint32_t> before_image;   ///< columns of the object with the row before
  std::vector<uint32_t> empty_columns;  ///< that data lacks, because their text is empty
  std::vector<uint32_t> empty_before;   ///< empty texts in the row before an update, where it lacks them
  bool has_before = false;              ///< one of the members is
};

/// Layouts by table and names. A cache: forgetting it changes nothing.
class RowLayouts {
 public:
  explicit RowLayouts(const Settings& settings) : settings_(settings) {}

  /// `data`: the object data; `before`: the object with the row before, 0: none. `layout` is valid until the next call.
  sdk::Status find(const Metadata& metadata, const sdk::JsonTape& tape, uint32_t data, uint32_t before, sdk::RowBuilder& rows,
                   const RowLayout*& layout);

 private:
  void write_key(const Metadata& metadata, const sdk::JsonTape& tape, uint32_t data, uint32_t before);
  sdk::Status make(const Metadata& metadata, const sdk::JsonTape& tape, uint32_t data, uint32_t before, sdk::RowBuilder& rows,
                   RowLayout& layout) const;

  const Settings& settings_;
  sdk::BoundedCache<RowLayout> layouts_{24 << 20};
  std::string key_;
};

/// The table that a record names.
sdk::TableShape shape_of(const Metadata& metadata);

}  // namespace cdcrt::dms
