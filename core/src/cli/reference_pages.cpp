#include "cli/reference_pages.hpp"

#include <ostream>

#include "cli/plugin_description.hpp"
#include "diagnostics/codes.hpp"
#include "manifest/host_options.hpp"
#include "observe/metrics.hpp"
#include "types/type.hpp"

namespace cdcrt::cli {

const std::vector<std::string>& reference_pages() {
  static const std::vector<std::string> pages{"errors", "types", "manifest", "manifest-schema", "metrics"};
  return pages;
}

namespace {

std::string manifest_page() {
  std::string out =
      "# Keys of the host\n\nWhat of a manifest cdcrt itself obeys, beside the options of plugins; [all of it](../manifest.md). "
      "Written by `cdcrt reference manifest`; `cdcrt reference manifest-schema` is the same as JSON Schema, for editors.\n";
  for (const auto& table : manifest::host_tables()) {
    out += "\n## [" + std::string(table.name) + "]\n\n" + std::string(table.about) + "\n\n" + options_markdown(table.options);
  }
  return out;
}

std::vector<cdcrt_option> options_of(std::string_view table) {
  for (const auto& each : manifest::host_tables()) {
    if (each.name == table) return {each.options.begin(), each.options.end()};
  }
  return {};
}

/// Of the whole manifest: tables of the host are closed, those that plugins read are open.
std::string manifest_schema() {
  constexpr const char* kPlugin[] = {"plugin"};
  const auto many = [](const std::string& schema) { return R"({"type":"object","additionalProperties":)" + schema + "}"; };
  std::string out =
      R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"cdcrt manifest","type":"object","additionalProperties":false,"properties":{)";
  out += R"("include":{"type":"array","items":{"type":"string"}})";
  const auto add = [&](std::string_view name, const std::string& schema) { out += ",\"" + std::string(name) + "\":" + schema; };
  add("pipeline", options_schema(options_of("pipeline"), false));
  add("runtime", options_schema(options_of("runtime"), false));
  add("sources", many(options_schema({}, true, kPlugin)));
  add("sinks", many(options_schema(options_of("sinks.NAME"), true, kPlugin)));
  add("dead_letters", options_schema(options_of("dead_letters"), true));
  // `columns` and `layout` beside the options.
  const std::string columns = many(options_schema(options_of("routes.NAME.columns.NAME"), false));
  const auto route = [&](const std::vector<cdcrt_option>& options) {
    return R"({"allOf":[)" + options_schema(options, true) + R"(],"type":"object","properties":{"columns":)" + columns +
           R"(,"layout":{"type":"object"}}})";
  };
  std::vector<cdcrt_option> options = options_of("defaults");
  add("defaults", route(options));
  const auto patterns = options_of("routes.NAME");
  options.insert(options.begin(), patterns.begin(), patterns.end());
  add("routes", many(route(options)));
  return out + "}}\n";
}

}  // namespace

void print_reference(const std::string& page, std::ostream& out) {
  if (page == "manifest") {
    out << manifest_page();
    return;
  }
  if (page == "manifest-schema") {
    out << manifest_schema();
    return;
  }
  if (page == "metrics") {
    out << observe::metrics_markdown();
    return;
  }
  if (page == "types") {
    out << "# Joining types\n\nThe least type that holds every value of both: what a column becomes when its source declares one type and then "
           "another, or when values without schema teach it. Written by `cdcrt reference types`.\n\n"
        << types::join_table_markdown();
    return;
  }
  out << "# Diagnostics\n\nWritten by `cdcrt reference errors`. Exit code 3 where the environment is at fault, else 2.\n\n"
         "| code | meaning |\n|---|---|\n";
  for (const auto& code : diagnostics::all_codes()) out << "| " << code.code << " | " << code.meaning << " |\n";
}

}  // namespace cdcrt::cli
