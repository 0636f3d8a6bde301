// KnownPrefixes: which of many texts another one begins with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::debezium {

/// Texts that differ late, as schemas of tables do. A lookup compares the few bytes that tell them apart, and then one text whole: it
/// hardly depends on how many there are. One thread.
class KnownPrefixes {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// The texts count from 0, in the order in which they are added. They live as long as this, or until clear().
  void add(std::string_view prefix);
  /// The number of a text that `message` begins with, and is longer than.
  [[nodiscard]] uint32_t find(std::string_view message) const;
  void clear();
  /// Memory held beside the texts, bytes, about.
  [[nodiscard]] std::size_t bytes() const;

 private:
  /// A text, or a branch: up to `position` the texts below it are alike, there they differ.
  struct Node {
    bool is_text = true;
    uint32_t number = 0;  ///< of a text or of a branch
  };
  struct Branch {
    std::size_t position = 0;
    std::string bytes;            ///< what stands there
    std::vector<Node> followers;  ///< for each of them
  };
  [[nodiscard]] bool begins_with(std::string_view message, uint32_t text) const;
  [[nodiscard]] Node any_text(std::string_view like) const;
  Node& place_of(std::string_view prefix, std::size_t position);

  std::vector<std::string_view> texts_;
  std::vector<Branch> branches_;
  Node root_;
  bool is_empty_ = true;
  std::vector<uint32_t> inside_;  ///< those that another one begins with, or that begin with another one: seldom
};

}  // namespace cdcrt::debezium
