// SchemaPool: what the schemas of many tables have in common is kept once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "debezium/layout.hpp"

namespace cdcrt::debezium {

/// A text, some pieces of which others share. Immutable; it may outlive the pool that made it.
class SchemaText {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  /// `message` begins with it.
  [[nodiscard]] bool begins(std::string_view message) const {
    return parts_.empty() ? message.starts_with(own_) : message.size() >= size_ && alike(message) == size_;
  }
  /// How many bytes from the first one on are those of `other`.
  [[nodiscard]] std::size_t alike(std::string_view other) const;
  [[nodiscard]] char at(std::size_t position) const;
  /// Memory held beside what is shared, bytes, about.
  [[nodiscard]] std::size_t own_bytes() const { return own_.capacity() + parts_.capacity() * sizeof(Part); }

 private:
  friend class SchemaPool;
  struct Part {
    std::shared_ptr<const std::string> shared;  ///< null: the next bytes of own_
    uint32_t own_size = 0;
    [[nodiscard]] std::string_view text(const std::string& own, std::size_t& next) const;
  };
  std::string own_;
  std::vector<Part> parts_;  ///< empty: all of it is own_
  std::size_t size_ = 0;
};

/// Of one decoder; one thread. Debezium names a table three times in its schema of some kilobytes, and the rest is the same for many.
class SchemaPool {
 public:
  /// The first few texts stay whole, so that one comparison tells.
  SchemaText keep(std::string_view text);
  /// An equal one that others have, or this one, for those that come.
  std::shared_ptr<const Layout> share(std::unique_ptr<Layout> layout);

  /// Memory held, bytes, about; with what nobody uses since the last trim().
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Gives back what nobody uses.
  void trim();

 private:
  std::shared_ptr<const std::string> share_piece(std::string_view piece);

  std::unordered_map<std::string_view, std::shared_ptr<const std::string>> pieces_;  ///< names are the pieces' own
  std::unordered_multimap<uint64_t, std::shared_ptr<const Layout>> layouts_;         ///< by their hash
  std::size_t bytes_ = 0;
  std::size_t whole_bytes_ = 0;  ///< of texts that were kept whole
};

/// Memory that a layout takes, bytes, about.
std::size_t layout_bytes(const Layout& layout);
/// Of a place in a hash map, and what the allocator takes.
inline constexpr std::size_t kPlaceBytes = 64;
/// Memory that a text takes beside itself, bytes, about.
inline std::size_t text_bytes(const std::string& text) { return text.capacity() < sizeof(std::string) / 2 ? 0 : text.capacity() + 16; }

}  // namespace cdcrt::debezium
