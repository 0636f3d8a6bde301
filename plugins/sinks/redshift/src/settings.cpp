#include "settings.hpp"

#include <algorithm>

#include "aws/partition.hpp"
#include "aws/profile.hpp"
#include "redshift_statements.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {
namespace {

using sdk::Status;

/// Of a chain of roles each has to be one of the bucket's partition.
Status check_roles(const std::string& roles, const std::string& region) {
  for (std::size_t begin = 0; begin < roles.size();) {
    const std::size_t end = std::min(roles.find(',', begin), roles.size());
    std::string why;
    if (aws::of_another_partition(roles.substr(begin, end - begin), region, why)) {
      return Status::bad_config("staging.iam_role", why,
                                "give a role of " + aws::arn_prefix(region) + ":iam::ACCOUNT:role/NAME, or the region of the bucket");
    }
    begin = end + 1;
  }
  return {};
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
                              aws::arn_prefix(config.string("staging.region")) +
                                  ":iam::ACCOUNT:role/NAME (several joined by a comma are chained), or \"default\"");
  }
  const std::string region = config.string("staging.region");
  if (Status role_status = check_roles(out.iam_role, aws::find_region(region, config.string("staging.profile"))); !role_status)
    return role_status;
  if (config.has("staging.access_key") != config.has("staging.secret_key")) {
    return Status::bad_config(config.has("staging.access_key") ? "staging.secret_key" : "staging.access_key",
                              "a key pair lacks its other half");
  }
  out.credentials.given.access_key = config.string("staging.access_key");
  out.credentials.given.secret_key = config.string("staging.secret_key");
  out.credentials.given.session_token = config.string("staging.session_token");
  out.credentials.profile = config.string("staging.profile");
  out.credentials.region = region;
  aws::S3Settings& s3 = out.s3;
  s3.bucket = out.location.bucket;
  s3.region = region;
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
  Status status = odbc::make_settings(config.map("connection"), config.string("dsn"), out.connection, config.string("login"));
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
