#include "settings.hpp"

#include "sql/identifier.hpp"
#include "sql/redshift_statements.hpp"

namespace cdcrt::redshift {
namespace {

using sdk::Status;
using sql::redshift::Layout;
using Map = std::vector<std::pair<std::string, std::string>>;

bool parse_style(const std::string& text, Layout::Distribution& out) {
  if (text == "key")
    out = Layout::Distribution::kKey;
  else if (text == "auto")
    out = Layout::Distribution::kAuto;
  else if (text == "even")
    out = Layout::Distribution::kEven;
  else if (text == "all")
    out = Layout::Distribution::kAll;
  else
    return false;
  return true;
}

/// Encodings are pasted into DDL: words only.
bool is_word(const std::string& text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  }
  return true;
}

/// What is left of `entry` after "schema.table" or "table"; false: of another table.
bool belongs(const std::string& entry, std::string_view schema, std::string_view table, bool with_column, std::string& column) {
  const std::string name = sql::redshift::folded(entry, false);
  for (const std::string& prefix : {std::string(schema) + "." + std::string(table), std::string(table)}) {
    const std::string wanted = sql::redshift::folded(prefix, false);
    if (!with_column && name == wanted) return true;
    if (with_column && name.size() > wanted.size() + 1 && name.compare(0, wanted.size(), wanted) == 0 && name[wanted.size()] == '.') {
      column = entry.substr(wanted.size() + 1);
      return true;
    }
  }
  return false;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text + ",") {
    if (c != ',') {
      if (c != ' ' || !part.empty()) part += c;
      continue;
    }
    while (!part.empty() && part.back() == ' ') part.pop_back();
    if (!part.empty()) parts.push_back(part);
    part.clear();
  }
  return parts;
}

Status read_staging(const sdk::Config& config, StagingOptions& out) {
  const std::string url = config.string("staging.url");
  const bool role = config.has("staging.iam_role");
  const bool keys = config.has("staging.access_key") || config.has("staging.secret_key");
  if (url.empty()) {
    if (role || keys) return Status::bad_config("staging.url", "staging is set up without a place", "url = \"s3://bucket/prefix/\"");
    return {};
  }
  out.enabled = true;
  Status status = aws::parse_s3_url(url, "staging.url", out.location);
  if (!status) return status;
  out.iam_role = config.string("staging.iam_role");
  if (!out.iam_role.empty() && out.iam_role != "default" && out.iam_role.rfind("arn:", 0) != 0) {
    return Status::bad_config("staging.iam_role", "\"" + out.iam_role + "\" is no role's ARN",
                              "arn:aws:iam::ACCOUNT:role/NAME (several joined by a comma are chained), or \"default\"");
  }
  if (config.has("staging.access_key") != config.has("staging.secret_key")) {
    return Status::bad_config(config.has("staging.access_key") ? "staging.secret_key" : "staging.access_key",
                              "a key pair lacks its other half");
  }
  out.credentials.given.access_key = config.string("staging.access_key");
  out.credentials.given.secret_key = config.string("staging.secret_key");
  out.credentials.given.session_token = config.string("staging.session_token");
  out.credentials.profile = config.string("staging.profile");
  aws::S3Settings& s3 = out.s3;
  s3.bucket = out.location.bucket;
  s3.region = config.string("staging.region");
  s3.profile = config.string("staging.profile");
  s3.endpoint = config.string("staging.endpoint");
  s3.path_style = config.boolean("staging.path_style");
  const std::string encryption = config.string("staging.encryption");
  s3.encryption = encryption == "sse-s3"    ? aws::Encryption::kS3
                  : encryption == "sse-kms" ? aws::Encryption::kKms
                                            : aws::Encryption::kBucketDefault;
  s3.kms_key = config.string("staging.kms_key");
  if (!s3.kms_key.empty() && s3.encryption != aws::Encryption::kKms) {
    return Status::bad_config("staging.kms_key", "a KMS key is given, but encryption is not \"sse-kms\"", "encryption = \"sse-kms\"");
  }
  out.files.compression = config.string("staging.compression") == "none" ? aws::Compression::kNone : aws::Compression::kGzip;
  out.files.level = static_cast<int>(config.integer("staging.compression_level"));
  out.files.part_bytes = config.bytes("staging.part_size");
  out.files.files = static_cast<uint32_t>(config.integer("staging.files"));
  return {};
}

}  // namespace

Status read_settings(const sdk::Config& config, Settings& out) {
  Status status = odbc::make_settings(config.map("connection"), config.string("dsn"), out.connection);
  if (status) status = read_staging(config, out.staging);
  if (!status) return status;
  out.connect_timeout = config.duration("connect_timeout");
  out.statement_timeout = config.duration("statement_timeout");
  out.copy_from_rows = static_cast<uint64_t>(config.integer("copy_from_rows"));
  out.copy_from_bytes = config.bytes("copy_from_bytes");
  out.unbounded_varchar = static_cast<uint32_t>(config.bytes("varchar"));
  out.query_group = config.string("query_group");
  parse_style(config.string("diststyle"), out.layout.distribution);
  out.layout.sort_by_key = config.string("sortkey") == "key";
  out.layout.primary_key = config.boolean("primary_keys");
  out.distkeys = config.map("distkeys");
  out.sortkeys = config.map("sortkeys");
  out.diststyles = config.map("diststyles");
  out.encodings = config.map("encodings");
  for (const auto& [name, style] : out.diststyles) {
    Layout::Distribution parsed{};
    if (!parse_style(style, parsed))
      return Status::bad_config("diststyles", "\"" + style + "\" of " + sql::shown(name) + " is no distribution style",
                                "key, auto, even or all");
  }
  for (const auto& [name, encoding] : out.encodings) {
    if (!is_word(encoding))
      return Status::bad_config("encodings", "\"" + encoding + "\" of " + sql::shown(name) + " is no encoding",
                                "for example zstd, az64, lzo, raw");
  }
  return {};
}

Status Settings::layout_of(std::string_view schema, std::string_view table, Layout& out) const {
  out = layout;
  std::string column;
  for (const auto& [name, style] : diststyles) {
    if (belongs(name, schema, table, false, column)) parse_style(style, out.distribution);
  }
  for (const auto& [name, key] : distkeys) {
    if (belongs(name, schema, table, false, column)) out.distkey = key;
  }
  for (const auto& [name, key] : sortkeys) {
    if (!belongs(name, schema, table, false, column)) continue;
    out.sortkey = split(key);
    out.sort_by_key = false;
  }
  for (const auto& [name, encoding] : encodings) {
    if (belongs(name, schema, table, true, column)) out.encodings.emplace_back(column, encoding);
  }
  return {};
}

}  // namespace cdcrt::redshift
