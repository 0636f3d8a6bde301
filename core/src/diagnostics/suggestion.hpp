// The nearest of the names that would have been right.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::diagnostics {

/// Damerau-Levenshtein distance (insert, delete, replace, swap of neighbours), case-blind for ASCII, in bytes.
std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate `wrong` was most likely meant to be: few typing errors (about one in three characters), the same words in
/// another order, a shared word of several, or an abbreviation. nullopt when none is near. Equal ones: the first.
std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string>& candidates);

/// "did you mean 'max_rows'?", else the short list of what is allowed ("allowed here: a, b"), else empty.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& candidates);

/// One of the two is the other, mistyped: a letter or two apart, or in another case; names that differ in digits alone are meant.
bool is_slip(std::string_view wrong, std::string_view name);

}  // namespace cdcrt::diagnostics
