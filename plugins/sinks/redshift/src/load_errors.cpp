#include "load_errors.hpp"

#include "sql/identifier.hpp"
#include "sql/redshift_literal.hpp"

namespace cdcrt::redshift {

using sdk::Status;

namespace {

constexpr std::size_t kMostTold = 3;
constexpr std::size_t kLongestValue = 80;

/// The catalog pads its texts with blanks.
std::string trimmed(const Field& field) {
  std::string text = field.value_or("");
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string is_one_of(const std::vector<std::string>& urls) {
  std::string text = "TRIM(file_name) IN (";
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (i > 0) text += ", ";
    sql::redshift::append_text(text, urls[i]);
  }
  return text + ")";
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

}  // namespace

Status explain_load(TargetSession& session, const std::vector<std::string>& urls, Status copy_status, std::string_view what) {
  if (urls.empty()) return copy_status;
  const std::string files = is_one_of(urls);
  std::string told;
  std::size_t count = 0;
  const auto tell = [&](const std::vector<Field>& row) {
    if (++count > kMostTold) return false;
    told += (told.empty() ? "" : "; ") + trimmed(row[0]) + ", line " + trimmed(row[1]) + ", column " + sql::shown(trimmed(row[2])) + ": " +
            trimmed(row[3]);
    if (row[4]) told += ": " + sql::shown(std::string_view(trimmed(row[4])).substr(0, kLongestValue));
    return true;
  };
  const std::string doing = "cannot read why COPY failed";
  // STL_LOAD_ERRORS has the value; serverless has only the other.
  Status read = session.select("SELECT filename, line_number, colname, err_reason, raw_field_value FROM stl_load_errors WHERE " +
                                   replaced(files, "file_name", "filename") + " ORDER BY starttime, line_number LIMIT 4",
                               5, doing, tell);
  if (count == 0) {
    read = session.select(
        "SELECT file_name, line_number, column_name, error_message, CAST(NULL AS VARCHAR(1)) FROM sys_load_error_detail WHERE " + files +
            " ORDER BY start_time, line_number LIMIT 4",
        5, doing, tell);
  }
  if (count == 0) {
    if (read.code() == CDCRT_RETRY) return read;
    return copy_status;
  }
  if (count > kMostTold) told += "; and more";
  return Status::bad_record(std::string(what) + ": COPY refused " + told).with_native(0, copy_status.sqlstate());
}

}  // namespace cdcrt::redshift
