// Matches: for each pattern, column and topic that the manifest names, whether any table, column or topic matched it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "manifest/manifest.hpp"

namespace cdcrt::runtime {

class Destinations;
class SinkRuntime;
class SourceRuntime;

/// `entry` is how people call it, and the name under which it is stored.
struct Match {
  std::string sink;  ///< whose target stores it; empty: none
  std::string entry;
  bool met = false;
  std::string why;  ///< unmet: in words, with advice
  [[nodiscard]] std::string text() const { return entry + ": " + why; }
};

std::string pattern_entry(const route::Route& route, bool is_except, const std::string& pattern);
std::string column_entry(const std::string& route, const std::string& column, bool of_defaults);
/// Empty: of the whole of primary_keys_file.
std::string key_entry(const std::string& pattern, const std::string& file);
std::string source_entry(const std::string& source, const std::string& option, const std::string& text);
/// Every entry that a manifest could be told of; stored entries that are not among them are out of date.
std::vector<std::string> entries_of(const manifest::Manifest& manifest);

/// Patterns of routes and names of columns, by the rows that came so far.
std::vector<Match> route_matches(const Destinations& destinations, const std::vector<std::unique_ptr<SinkRuntime>>& sinks);
/// Settings of a source that nothing met, by what it was asked for; nothing where it cannot be asked. `left_out`: see
/// plugin::Source::Survey.
std::vector<Match> source_matches(SourceRuntime& source, const std::string& sink, uint64_t& left_out);

}  // namespace cdcrt::runtime
