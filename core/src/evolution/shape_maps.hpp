// ShapeMaps: where the columns of each shape of a table go.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "evolution/column.hpp"

namespace cdcrt::evolution {

/// By event::Shape::id. Most tables have one shape for a long time: the last one is found in one step.
class ShapeMaps {
 public:
  /// Made where there is none.
  ShapeMap& of(uint64_t shape) {
    if (last_ == nullptr || last_shape_ != shape) {
      last_ = &maps_[shape];
      last_shape_ = shape;
    }
    return *last_;
  }
  /// Null: there is none.
  [[nodiscard]] const ShapeMap* find(uint64_t shape) const {
    const auto found = maps_.find(shape);
    return found == maps_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const ShapeMap* last() const { return last_; }
  void erase(uint64_t shape) {
    maps_.erase(shape);
    last_ = nullptr;
  }
  void clear() {
    maps_.clear();
    last_ = nullptr;
  }
  [[nodiscard]] std::size_t size() const { return maps_.size(); }
  [[nodiscard]] auto begin() { return maps_.begin(); }
  [[nodiscard]] auto end() { return maps_.end(); }
  [[nodiscard]] auto begin() const { return maps_.begin(); }
  [[nodiscard]] auto end() const { return maps_.end(); }

 private:
  std::unordered_map<uint64_t, ShapeMap> maps_;
  ShapeMap* last_ = nullptr;
  uint64_t last_shape_ = 0;
};

}  // namespace cdcrt::evolution
