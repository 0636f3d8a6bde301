#include "load_errors.hpp"

#include <algorithm>

#include "redshift_literal.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;

namespace {

constexpr std::size_t kMaxTold = 3;
constexpr std::size_t kMaxValue = 80;

/// The catalog pads its texts with blanks.
std::string trimmed(const Field& field) {
  std::string text = field.value_or("");
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// The views keep so many bytes of a file's name [r_STL_LOAD_ERRORS, SYS_LOAD_ERROR_DETAIL].
constexpr std::size_t kKeptName = 256;

std::string is_one_of(std::string_view column, const std::vector<std::string>& urls) {
  std::string text = "TRIM(" + std::string(column) + ") IN (";
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (i > 0) text += ", ";
    sql::redshift::append_text(text, std::string_view(urls[i]).substr(0, kKeptName));
  }
  return text + ")";
}

}  // namespace

Status explain_load(TargetSession& session, const std::vector<std::string>& urls, Status copy_status, std::string_view what) {
  if (urls.empty()) return copy_status;
  const std::string doing = "cannot read why COPY failed";
  // Names that are cut are those of other files too: of the ones this session read last.
  const bool is_cut = std::any_of(urls.begin(), urls.end(), [](const std::string& url) { return url.size() > kKeptName; });
  Field process;
  if (is_cut) {
    Status asked = session.answer("SELECT pg_backend_pid()", doing, process);
    if (!asked) return asked.code() == CDCRT_RETRY ? std::move(asked) : std::move(copy_status);
  }
  const auto condition = [&](std::string_view file, std::string_view session_column) {
    return is_one_of(file, urls) + (process ? " AND " + std::string(session_column) + " = " + *process : std::string());
  };
  std::string told;
  std::size_t count = 0;
  Field query;
  const auto tell = [&](const std::vector<Field>& row) {
    if (count == 0) query = row[5];
    if (++count > kMaxTold || row[5] != query) return false;
    told += (told.empty() ? "" : "; ") + trimmed(row[0]) + ", line " + trimmed(row[1]) + ", column " + sql::shown(trimmed(row[2])) + ": " +
            trimmed(row[3]);
    if (row[4]) told += ": " + sql::shown(std::string_view(trimmed(row[4])).substr(0, kMaxValue));
    return true;
  };
  // STL_LOAD_ERRORS has the value; serverless has only the other.
  Status read = session.select("SELECT filename, line_number, colname, err_reason, raw_field_value, query FROM stl_load_errors WHERE " +
                                   condition("filename", "session") + " ORDER BY query DESC, starttime, line_number LIMIT 4",
                               6, doing, tell);
  if (count == 0) {
    read = session.select(
        "SELECT file_name, line_number, column_name, error_message, CAST(NULL AS VARCHAR(1)), query_id FROM sys_load_error_detail WHERE " +
            condition("file_name", "session_id") + " ORDER BY query_id DESC, start_time, line_number LIMIT 4",
        6, doing, tell);
  }
  if (count == 0) {
    if (read.code() == CDCRT_RETRY) return read;
    return copy_status;
  }
  if (count > kMaxTold) told += "; and more";
  return Status::bad_record(std::string(what) + ": COPY refused " + told).with_native(0, copy_status.sqlstate());
}

bool is_unexplained(const Status& status) {
  const std::string_view text = status.message();
  return status.code() == CDCRT_BUSY && (text.find("stl_load_errors") != text.npos || text.find("sys_load_error_detail") != text.npos);
}

}  // namespace cdcrt::redshift
