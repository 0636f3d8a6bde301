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

  /// Of [defaults]; nullptr: there is none. It counts for the routes that have none of their own, and whose sink has layout options.
  void set_defaults(const Entry* entry);
  /// Once the route has its sink. `own`: of the route itself, nullptr: none. Problems are reported.
  void read(const Entry* own, Route& route);

 private:
  Options read_table(const Entry& entry, const std::string& owner, const Sink& sink);

  const std::vector<Sink>& sinks_;
  const std::string pipeline_, folder_;
  Report& report_;
  std::map<const cdcrt_plugin*, Options> defaults_;  ///< by the plugins that lay tables out
};

}  // namespace cdcrt::manifest
