// The key under which open dead letters of a row are kept in the target.
#pragma once

#include <string>
#include <string_view>

namespace cdcrt::apply {

/// The key of dead letters of tables without a key: they are known by their position alone, and no later row closes one.
inline constexpr std::string_view kNoKey{""};
/// A key as dead letters are kept by: itself, or a digest where it is longer than an index takes.
std::string dead_letter_key(std::string_view key);

}  // namespace cdcrt::apply
