#include "cli/reference_pages.hpp"

#include <ostream>

#include "cli/plugin_description.hpp"
#include "diagnostics/codes.hpp"
#include "manifest/host_options.hpp"
#include "types/type.hpp"

namespace cdcrt::cli {

const std::vector<std::string>& reference_pages() {
  static const std::vector<std::string> pages{"errors", "types", "manifest", "manifest-schema"};
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

/// Of the whole manifest: tables of the host are closed, those that plugins read are open.
std::string manifest_schema() {
  constexpr const char* kPlugin[] = {"plugin"};
  constexpr const char* kName[] = {"name"};
  const auto many = [](const std::string& schema) { return R"({"type":"object","additionalProperties":)" + schema + "}"; };
  std::string out =
      R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"cdcrt manifest","type":"object","additionalProperties":false,"properties":{)";
  out += R"("include":{"type":"array","items":{"type":"string"}},"pipeline":)" + options_schema({}, true, kName);
  out += ",\"sources\":" + many(options_schema({}, true, kPlugin));
  for (const auto& table : manifest::host_tables()) {
    const std::string_view name = table.name.substr(0, table.name.find('.'));
    const bool named = name != table.name;
    const std::string schema =
        named ? many(options_schema(table.options, true, kPlugin)) : options_schema(table.options, name != "runtime");
    out += ",\"" + std::string(name) + "\":" + schema;
  }
  return out + R"(,"defaults":{"type":"object"},"routes":{"type":"object","additionalProperties":{"type":"object"}}}})" + "\n";
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
