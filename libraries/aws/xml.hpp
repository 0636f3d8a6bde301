// The little XML of S3's answers: elements without attributes that matter, never nested in one of the same name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::aws {

/// Text of the first element `name` with entities resolved; nullopt when there is none.
std::optional<std::string> element_text(std::string_view xml, std::string_view name);

/// What stands inside of each element `name`, in order, as written. Views of `xml`.
std::vector<std::string_view> elements(std::string_view xml, std::string_view name);

/// The five entities of XML, for texts and attributes.
std::string escape_xml(std::string_view text);

}  // namespace cdcrt::aws
