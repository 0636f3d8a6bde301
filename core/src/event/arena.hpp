// Arena: bytes that live and die together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/fetch_ahead.hpp"

namespace cdcrt::event {

/// Bump allocator in blocks, each as large as all before it together, up to `block_bytes`: what holds little costs little. Not
/// thread-safe; one owner. Addresses stay valid until clear() or destruction.
class Arena {
 public:
  static constexpr std::size_t kFirstBlock = 256;
  explicit Arena(std::size_t block_bytes = 64 << 10, std::size_t first_block = kFirstBlock)
      : block_bytes_(block_bytes), first_block_(first_block) {}
  Arena(Arena&& other) noexcept : Arena(other.block_bytes_, other.first_block_) { swap(other); }
  Arena& operator=(Arena&& other) noexcept {
    Arena taken(std::move(other));
    swap(taken);
    return *this;
  }

  /// Uninitialised bytes, unaligned.
  char* allocate(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(end_ - next_)) grow(bytes);
    char* taken = next_;
    next_ += bytes;
    return taken;
  }
  /// Asks for the memory of what comes next.
  void fetch_ahead() const { sdk::fetch_ahead(next_, std::min<std::size_t>(256, static_cast<std::size_t>(end_ - next_))); }
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
  /// Gives everything back.
  void release() {
    blocks_.clear();
    blocks_.shrink_to_fit();
    last_bytes_ = reserved_ = 0;
    next_ = end_ = nullptr;
  }
  /// Memory held, bytes.
  [[nodiscard]] std::size_t reserved() const { return reserved_; }
  /// Those of them that were handed out, about.
  [[nodiscard]] std::size_t used() const { return reserved_ - static_cast<std::size_t>(end_ - next_); }

 private:
  void swap(Arena& other) noexcept {
    std::swap(block_bytes_, other.block_bytes_);
    std::swap(first_block_, other.first_block_);
    std::swap(last_bytes_, other.last_bytes_);
    std::swap(reserved_, other.reserved_);
    std::swap(next_, other.next_);
    std::swap(end_, other.end_);
    blocks_.swap(other.blocks_);
  }
  void grow(std::size_t bytes) {
    const std::size_t wanted = std::min(block_bytes_, blocks_.empty() ? first_block_ : reserved_);
    last_bytes_ = std::max(bytes, wanted);
    blocks_.push_back(std::unique_ptr<char[]>(new char[last_bytes_]));
    reserved_ += last_bytes_;
    next_ = blocks_.back().get();
    end_ = next_ + last_bytes_;
  }
  std::size_t block_bytes_, first_block_;
  std::size_t last_bytes_ = 0;
  std::size_t reserved_ = 0;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace cdcrt::event
