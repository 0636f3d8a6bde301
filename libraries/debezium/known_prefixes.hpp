// KnownPrefixes: which of many texts another one begins with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "debezium/schema_pool.hpp"

namespace cdcrt::debezium {

/// Texts that differ late, as schemas of tables do. A lookup compares the few bytes that tell them apart, and then one text whole: it
/// hardly depends on how many there are. One thread.
class KnownPrefixes {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// `kept`: the same text. The texts count from 0, in the order in which they are added.
  void add(std::string_view prefix, SchemaText kept);
  /// The number of a text that `message` begins with, and is longer than.
  [[nodiscard]] uint32_t find(std::string_view message) const;
  [[nodiscard]] bool begins_with(std::string_view message, uint32_t text) const;
  [[nodiscard]] std::size_t size_of(uint32_t text) const { return texts_[text].size(); }
  /// Memory held beside what texts share, bytes, about.
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
  [[nodiscard]] Node any_text(std::string_view like) const;
  Node& place_of(std::string_view prefix, std::size_t position);

  std::vector<SchemaText> texts_;
  std::vector<Branch> branches_;
  Node root_;
  std::size_t text_bytes_ = 0;
  std::vector<uint32_t> inside_;  ///< those that another one begins with, or that begin with another one: seldom
};

}  // namespace cdcrt::debezium
