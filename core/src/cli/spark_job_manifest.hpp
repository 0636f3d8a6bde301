// The manifest that does what a job kafka-cdc-redshift did.
#pragma once

#include <string>

#include "cli/findings.hpp"
#include "cli/spark_job.hpp"

namespace cdcrt::cli {

/// The manifest of a job that was read without errors. What has no counterpart is a comment in it and reported as a warning; what cannot be
/// written at all is an error, and the manifest empty. No secret is in it.
/// `schema`: of the source's tables, where the database has schemas (PostgreSQL); "*": all of them; empty: it has none (MySQL).
std::string spark_job_manifest(const SparkJob& job, const std::string& schema, Findings& file);

}  // namespace cdcrt::cli
