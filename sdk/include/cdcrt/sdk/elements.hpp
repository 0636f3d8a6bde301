// Elements: arrays of structs whose distance the other side says, because its own are longer or shorter. Header-only, C++17.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace cdcrt::sdk {

/// The element at `index` of an array whose elements are `size` bytes apart, and no shorter than `Type`.
template <class Type>
const Type& element(const Type* first, uint32_t size, uint32_t index) {
  return *reinterpret_cast<const Type*>(reinterpret_cast<const char*>(first) + std::size_t{size} * index);
}

/// A copy of a struct that begins with its size, as long as ours: members that the other side lacks are zero.
template <class Type>
Type own_part(const Type* given) {
  Type own{};
  std::memcpy(static_cast<void*>(&own), given, std::min<std::size_t>(given->size, sizeof own));
  own.size = sizeof own;
  return own;
}

/// The same of an array: as it was given where its elements are as long as ours, else a copy, what is missing zero.
template <class Type>
class Elements {
 public:
  Elements(const Type* given, uint32_t count, uint32_t size) : given_(given), count_(count) {
    if (size != sizeof(Type)) copy(size);
  }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;
  Elements(Elements&&) = default;
  Elements& operator=(Elements&&) = default;
  ~Elements() = default;
  [[nodiscard]] const Type* data() const { return copied_ ? own_.data() : given_; }
  /// A copy that may be changed.
  Type* edit() {
    if (!copied_) copy(sizeof(Type));
    return own_.data();
  }

 private:
  void copy(uint32_t size) {
    own_.resize(count_);
    for (uint32_t i = 0; i < count_; ++i) {
      const char* from = reinterpret_cast<const char*>(given_) + std::size_t{size} * i;
      std::memcpy(static_cast<void*>(&own_[i]), from, std::min<std::size_t>(size, sizeof(Type)));
    }
    copied_ = true;
  }

  const Type* given_;
  uint32_t count_;
  std::vector<Type> own_;
  bool copied_ = false;
};

}  // namespace cdcrt::sdk
