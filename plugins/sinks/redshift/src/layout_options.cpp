#include "layout_options.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "redshift_statements.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {
namespace {

namespace option = sdk::option;
using sdk::Status;
using sql::redshift::Layout;

constexpr const char* kStyles[] = {"key", "auto", "even", "all", nullptr};

// Developer Guide, CREATE TABLE: at most 400 columns in a compound sort key.
constexpr std::size_t kMaxSortColumns = 400;

constexpr cdcrt_option kLayoutOptions[] = {
    option::one_of("diststyle", kStyles)
        .default_value("key")
        .example("\"all\"")
        .doc("Distribution; `key`: by `distkey`, `auto`: left to Redshift."),
    option::text("distkey")
        .example("\"customer_id\"")
        .doc("The column to distribute by, with `diststyle = \"key\"`; by default the first column of the table's key."),
    option::list("sortkey")
        .example("[\"created_at\", \"id\"]")
        .doc("Columns to sort by, in order; `[]`: left to Redshift. By default the columns of the table's key."),
    option::map("encode")
        .example("{ note = \"zstd\", id = \"raw\" }")
        .doc("Compression of single columns; Redshift chooses for the others. It never makes a text longer that is encoded as bytedict, "
             "runlength, text255 or text32k."),
    option::boolean("declare_key")
        .default_value("false")
        .example("true")
        .doc("Declare the key as PRIMARY KEY. Redshift does not enforce it but plans by it: only where nothing else writes to the table."),
};

// Developer Guide, Compression encodings.
constexpr std::string_view kEncodings[] = {"raw",      "az64",     "bytedict",  "delta",   "delta32k", "lzo", "mostly8",
                                           "mostly16", "mostly32", "runlength", "text255", "text32k",  "zstd"};

bool is_encoding(std::string_view text) {
  const std::string name = sql::redshift::folded(text, false);
  return std::find(std::begin(kEncodings), std::end(kEncodings), name) != std::end(kEncodings);
}

std::string all_encodings() {
  std::string list;
  for (const std::string_view name : kEncodings) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

}  // namespace

sdk::OptionTable layout_options() { return sdk::option_table(kLayoutOptions); }

Status read_layout(const sdk::Config& config, Layout& out) {
  const std::string style = config.string("diststyle");
  out.distribution = style == "auto"   ? Layout::Distribution::kAuto
                     : style == "even" ? Layout::Distribution::kEven
                     : style == "all"  ? Layout::Distribution::kAll
                                       : Layout::Distribution::kKey;
  out.distkey = config.string("distkey");
  if (!out.distkey.empty() && style != "key") {
    return Status::bad_config("distkey", "a table of diststyle \"" + style + "\" has no distkey",
                              "take one of them out; diststyle = \"key\" goes with a distkey");
  }
  out.sort_by_key = !config.has("sortkey");
  out.sortkey = config.list("sortkey");
  if (out.sortkey.size() > kMaxSortColumns) {
    return Status::bad_config(
        "sortkey", std::to_string(out.sortkey.size()) + " columns, and Redshift sorts by at most " + std::to_string(kMaxSortColumns));
  }
  out.encodings = config.map("encode");
  for (const auto& [name, encoding] : out.encodings) {
    if (!is_encoding(encoding))
      return Status::bad_config("encode", "\"" + encoding + "\" of " + sql::shown(name) + " is no encoding", "one of " + all_encodings());
  }
  out.primary_key = config.boolean("declare_key");
  return {};
}

}  // namespace cdcrt::redshift
