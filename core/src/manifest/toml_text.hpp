// TOML text into a tree. The one place that knows the parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifest/tree.hpp"

namespace cdcrt::manifest {

/// `file`: as diagnostics name it; its text is registered with the report. nullopt: not TOML, reported with its place.
std::optional<Node> parse_toml(const std::string& file, std::string text, Report& report);

/// One --set argument, "a.b=c": c is TOML, else a bare string. `line`: its number among the arguments of `flag`, which diagnostics
/// name as the file. nullopt: reported.
std::optional<Node> parse_set(std::string_view argument, uint32_t line, Report& report, const std::string& flag = "--set");

}  // namespace cdcrt::manifest
