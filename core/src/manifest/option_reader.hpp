// A plugin's settings out of its table, by its option table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

/// A value that an option will have in a later version: refused as not yet available.
struct LaterValue {
  std::string_view key, value;
};

struct OptionContext {
  std::string component;  ///< name in the manifest
  std::string pipeline;
  std::string folder;  ///< absolute; relative paths start here
  /// A sub-table that the host reads too, so that both share one reader; nullptr: none.
  std::string_view shared_name = {};
  TableReader* shared = nullptr;
  bool with_defaults = true;  ///< false: what is not given stays unset
  std::span<const LaterValue> later = {};
  std::string_view missing_help = {};  ///< for a required key that is missing; empty: by its example
};

/// Every option in the order of the plugin's table: given, defaulted or unset. Problems are reported; the reader is not finished.
Options read_options(TableReader& reader, const cdcrt_plugin& plugin, const OptionContext& context);

/// The same by another table of that plugin's.
Options read_options(TableReader& reader, const cdcrt_plugin& plugin, std::span<const cdcrt_option> table, const OptionContext& context);

/// What stands in `table` for a key without dots, by its name or a former one; nullptr: nothing.
const Entry* find_given(const Node& table, const cdcrt_option& option);

/// True when the plugin's table has `key`, or keys below it.
bool declares(const cdcrt_plugin& plugin, std::string_view key);

}  // namespace cdcrt::manifest
