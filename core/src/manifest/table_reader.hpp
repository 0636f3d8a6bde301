// TableReader: one table of the manifest, strictly: every key is asked for, or it is an error with a suggestion.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/values.hpp"

namespace cdcrt::manifest {

/// Borrows the table and the report. Ask for every key that may stand here, then call finish().
class TableReader {
 public:
  /// `path`: as in a header, "sinks.warehouse.batch"; empty: the manifest's top.
  TableReader(const Node& table, std::string path, Report& report) : table_(table), path_(std::move(path)), report_(report) {}

  /// The entry of `key`, nullptr when not given. From now on the key is known.
  const Entry* take(std::string_view key);
  /// From now on `former` is read as `key`, with a warning; two names of one key at once are an error. Before `key` is taken. The entry of
  /// `former`, nullptr when not given.
  const Entry* renamed(std::string_view former, std::string_view key);
  /// As take, for a key that must hold a table: nullptr also when it holds something else (reported).
  const Entry* take_table(std::string_view key);
  /// The key belongs to a later version: reported as not yet available when it is given.
  void not_yet(std::string_view key, const std::string& help = {});
  /// Reports that `key` is missing.
  void missing(std::string_view key, const std::string& help = {});
  /// Advice for a key that does not belong here but elsewhere.
  void belongs_elsewhere(std::string_view key, std::string help);

  std::optional<std::string> string(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<int64_t> integer(std::string_view key, int64_t minimum, int64_t maximum);
  std::optional<int64_t> duration(std::string_view key);
  std::optional<int64_t> bytes(std::string_view key, int64_t minimum);
  std::optional<std::vector<std::string>> list(std::string_view key);
  std::optional<std::size_t> choice(std::string_view key, const std::vector<std::string>& allowed,
                                    const std::vector<std::string>& later = {});

  /// Every key that nobody asked for is an error.
  void finish();

  [[nodiscard]] const Node& table() const { return table_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Report& report() { return report_; }
  [[nodiscard]] Field field(std::string_view key) const { return {std::string(key), report_}; }

 private:
  const Node& table_;
  std::string path_;
  Report& report_;
  std::vector<std::string> known_;  // what a suggestion may name
  std::set<std::string> taken_;
  std::map<std::string, const Entry*, std::less<>> by_former_name_;  // by the present one
  std::vector<std::pair<std::string, std::string>> elsewhere_;
};

/// " in [sinks.warehouse]", or nothing at the top.
std::string in_table(const std::string& path);

/// Reports `key` as unknown in `path`, with the nearest of `known` or the advice given.
void report_unknown(const Entry& entry, const std::string& path, const std::vector<std::string>& known, Report& report,
                    const std::string& advice = {});

}  // namespace cdcrt::manifest
