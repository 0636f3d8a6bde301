#include "settings.hpp"

#include "sql/identifier.hpp"
#include "sql/redshift_statements.hpp"

namespace cdcrt::redshift {
namespace {

using sdk::Status;

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
  s3.stall_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.duration("staging.timeout"));
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
  return {};
}

}  // namespace cdcrt::redshift
