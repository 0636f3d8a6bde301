// BoundedCache: what a format has made once, found by a key. Header-only, C++17.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>

namespace cdcrt::sdk {

/// Of one instance: forgetting changes nothing. Where more take turns than there is room for, some of them stay.
template <class Value>
class BoundedCache {
 public:
  /// Bytes of keys and of what values hold, about.
  explicit BoundedCache(std::size_t maximum_bytes) : maximum_bytes_(maximum_bytes) {}

  /// Valid until the next add(); null: it is not known.
  [[nodiscard]] const Value* find(const std::string& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.value;
  }
  /// One that find() does not know. `bytes`: what the value holds beside itself.
  const Value& add(const std::string& key, Value value, std::size_t bytes = 0) {
    constexpr std::size_t kPlace = 64;  // in the map, and what the allocator takes
    if (bytes_ >= maximum_bytes_) forget_half();
    const std::size_t all = key.size() + sizeof(Value) + kPlace + bytes;
    bytes_ += all;
    return entries_.emplace(key, Entry{std::move(value), all}).first->second.value;
  }

 private:
  struct Entry {
    Value value;
    std::size_t bytes;
  };
  void forget_half() {
    bool goes = false;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      goes = !goes;
      if (goes) bytes_ -= entry->second.bytes;
      entry = goes ? entries_.erase(entry) : std::next(entry);
    }
  }

  const std::size_t maximum_bytes_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace cdcrt::sdk
