// Settings: what the manifest says of a Redshift sink, checked and typed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.hpp"
#include "aws/s3_settings.hpp"
#include "aws/staging.hpp"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/status.hpp"
#include "odbc/connection_string.hpp"

namespace cdcrt::redshift {

/// Where files are staged, and who COPY is there.
struct StagingOptions {
  bool enabled = false;  ///< staging.url is given; else rows travel inside of INSERT statements
  aws::S3Location location;
  aws::S3Settings s3;
  aws::StagingSettings files;  ///< files.files 0: one per slice of the cluster
  aws::CredentialsSettings credentials;
  std::string iam_role;  ///< empty: COPY gets the keys that staging signs with
};

/// Copyable; holds secrets, never printed.
struct Settings {
  odbc::ConnectionSettings connection;
  std::chrono::microseconds connect_timeout{}, statement_timeout{};
  StagingOptions staging;
  uint64_t copy_from_rows = 0, copy_from_bytes = 0;  ///< below both: by INSERT
  uint32_t unbounded_varchar = 0;                    ///< bytes
  std::string query_group;
};

/// Touches nothing outside of the process but AWS's profile files, for a region. BAD_CONFIG names the option.
sdk::Status read_settings(const sdk::Config& config, Settings& out);

}  // namespace cdcrt::redshift
