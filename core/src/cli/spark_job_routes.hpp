// Routes of a manifest for the tables of a job kafka-cdc-redshift.
#pragma once

#include <string>

#include "cli/findings.hpp"
#include "cli/spark_job.hpp"

namespace cdcrt::cli {

/// [routes.*] for every entry of sync_table_list; entries that differ in the table's name alone share a route. Reports as
/// spark_job_manifest() does.
std::string spark_job_routes(const SparkJob& job, const std::string& schema, Findings& file);

/// `value` as a TOML string in which nothing is a reference.
std::string manifest_string(std::string_view value);

/// ["a", "b"]
std::string manifest_list(const std::vector<std::string>& values);

}  // namespace cdcrt::cli
