// A route's `layout`: settings of its target tables, checked by the option table that the sink declares for them.
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

  /// Notes the `layout` of [defaults]; nullptr: none. Routes without their own inherit it where their sink has layout options.
  void set_defaults(const Entry* entry);
  /// Fills route.layout; the route's sink must be known. `own`: the route's own `layout`, nullptr: none. Problems are reported.
  void read(const Entry* own, Route& route);

 private:
  Options read_table(const Entry& entry, const std::string& owner, const Sink& sink);

  const std::vector<Sink>& sinks_;
  const std::string pipeline_, folder_;
  Report& report_;
  std::map<const cdcrt_plugin*, Options> defaults_;  ///< by the plugins that lay tables out
};

}  // namespace cdcrt::manifest
