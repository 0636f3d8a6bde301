// A route's `layout`: settings of the target table, by the table of them that its sink brings.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

/// Borrows the sinks and the report.
class LayoutReader {
 public:
  LayoutReader(const std::vector<Sink>& sinks, std::string pipeline, std::string folder, Report& report);

  /// Of [defaults]; nullptr: there is none. It counts for the routes whose sink has layout options.
  void set_defaults(const Entry* entry);
  /// Once the route has its sink. `own`: of the route itself, nullptr: none. Problems are reported.
  void read(const Entry* own, Route& route);

 private:
  const Options& defaults_for(const Sink& sink);
  Options read_table(const Entry* entry, const std::string& path, const Sink& sink) const;

  const std::vector<Sink>& sinks_;
  const std::string pipeline_, folder_;
  Report& report_;
  const Entry* defaults_ = nullptr;
  std::map<const cdcrt_plugin*, Options> read_defaults_;  ///< reported once a plugin, not once a route
};

}  // namespace cdcrt::manifest
