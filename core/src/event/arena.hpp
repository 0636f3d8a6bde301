// Arena: bytes that live and die together.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace cdcrt::event {

/// Bump allocator in blocks. Not thread-safe; one owner. Addresses stay valid until clear() or destruction.
class Arena {
 public:
  explicit Arena(std::size_t block_bytes = 64 << 10) : block_bytes_(block_bytes) {}
  Arena(Arena&&) noexcept = default;
  Arena& operator=(Arena&&) noexcept = default;

  /// Uninitialised bytes, unaligned.
  char* allocate(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(end_ - next_)) grow(bytes);
    char* taken = next_;
    next_ += bytes;
    return taken;
  }
  std::string_view copy(std::string_view text) {
    char* bytes = allocate(text.size());
    if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }
  /// Gives everything back but one block.
  void clear() {
    if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
    if (!blocks_.empty() && last_bytes_ > 4 * block_bytes_) blocks_.clear();
    reserved_ = blocks_.empty() ? 0 : last_bytes_;
    next_ = blocks_.empty() ? nullptr : blocks_.back().get();
    end_ = blocks_.empty() ? nullptr : next_ + last_bytes_;
  }
  /// Memory held, bytes.
  [[nodiscard]] std::size_t reserved() const { return reserved_; }

 private:
  void grow(std::size_t bytes) {
    last_bytes_ = bytes > block_bytes_ ? bytes : block_bytes_;
    blocks_.push_back(std::unique_ptr<char[]>(new char[last_bytes_]));
    reserved_ += last_bytes_;
    next_ = blocks_.back().get();
    end_ = next_ + last_bytes_;
  }
  std::size_t block_bytes_;
  std::size_t last_bytes_ = 0;
  std::size_t reserved_ = 0;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace cdcrt::event
