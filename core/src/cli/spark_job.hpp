// The configuration of the Spark Structured Streaming job kafka-cdc-redshift: a .properties file whose sync_table_list is JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/findings.hpp"
#include "cli/properties_text.hpp"

namespace cdcrt::cli {

/// A value of an entry of sync_table_list, and where it stands. Empty: not given.
struct PlacedText {
  std::string text;
  Span span;
};

/// One entry of sync_table_list.
struct SparkJobTable {
  PlacedText database, table;  ///< regular expressions, mostly plain names
  PlacedText primary_key;      ///< a,b
  PlacedText target_table;
  PlacedText super_columns;                                           ///< a,b
  PlacedText timestamp_columns, date_columns;                         ///< a,b or a,b|FORMAT
  PlacedText ignore_ddl, save_delete, only_save_delete, skip_delete;  ///< "true" or empty
};

struct SparkJob {
  std::map<std::string, Property, std::less<>> options;  ///< without sync_table_list; of one that stands twice the last
  std::vector<SparkJobTable> tables;

  /// Value of an option; empty: not given.
  [[nodiscard]] std::string_view text(std::string_view option) const;
  [[nodiscard]] Span span(std::string_view option) const;
};

/// Reads all of it. What is wrong is reported; the job counts only if the file has no errors.
SparkJob read_spark_job(Findings& file);

/// "a, b" as {"a", "b"}.
std::vector<std::string> split_names(std::string_view list);

}  // namespace cdcrt::cli
