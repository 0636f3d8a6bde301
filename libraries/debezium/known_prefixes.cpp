#include "debezium/known_prefixes.hpp"

#include <algorithm>
#include <utility>

namespace cdcrt::debezium {

void KnownPrefixes::add(std::string_view prefix, SchemaText kept) {
  const auto number = static_cast<uint32_t>(texts_.size());
  text_bytes_ += kept.own_bytes();
  texts_.push_back(std::move(kept));
  if (number == 0) {
    root_ = {true, number};
    return;
  }
  const SchemaText& other = texts_[any_text(prefix).number];
  const std::size_t position = other.alike(prefix);
  if (position == prefix.size() || position == other.size()) {
    inside_.push_back(number);
    return;
  }
  Node& place = place_of(prefix, position);
  if (!place.is_text && branches_[place.number].position == position) {
    Branch& branch = branches_[place.number];
    branch.bytes += prefix[position];
    branch.followers.push_back({true, number});
    return;
  }
  const Node before = place;
  place = {false, static_cast<uint32_t>(branches_.size())};
  branches_.push_back({position, {other.at(position), prefix[position]}, {before, {true, number}}});
}

// Of those that begin like it as far as is known.
KnownPrefixes::Node KnownPrefixes::any_text(std::string_view like) const {
  Node node = root_;
  while (!node.is_text) {
    const Branch& branch = branches_[node.number];
    const std::size_t follower = branch.position < like.size() ? branch.bytes.find(like[branch.position]) : std::string::npos;
    node = branch.followers[follower == std::string::npos ? 0 : follower];
  }
  return node;
}

// What stands for the texts that are like `prefix` below `position`.
KnownPrefixes::Node& KnownPrefixes::place_of(std::string_view prefix, std::size_t position) {
  Node* node = &root_;
  while (!node->is_text && branches_[node->number].position < position) {
    Branch& branch = branches_[node->number];
    node = &branch.followers[branch.bytes.find(prefix[branch.position])];
  }
  return *node;
}

bool KnownPrefixes::begins_with(std::string_view message, uint32_t text) const {
  return message.size() > texts_[text].size() && texts_[text].begins(message);
}

uint32_t KnownPrefixes::find(std::string_view message) const {
  if (texts_.empty()) return kNone;
  Node node = root_;
  while (!node.is_text) {
    const Branch& branch = branches_[node.number];
    if (branch.position >= message.size()) break;
    const std::size_t follower = branch.bytes.find(message[branch.position]);
    if (follower == std::string::npos) break;
    node = branch.followers[follower];
  }
  if (node.is_text && begins_with(message, node.number)) return node.number;
  const auto found = std::find_if(inside_.begin(), inside_.end(), [&](uint32_t text) { return begins_with(message, text); });
  return found == inside_.end() ? kNone : *found;
}

std::size_t KnownPrefixes::bytes() const {
  return text_bytes_ + texts_.size() * (sizeof(SchemaText) + sizeof(Node) + 1) + branches_.size() * sizeof(Branch) +
         inside_.size() * sizeof(uint32_t);
}

}  // namespace cdcrt::debezium
