#include "stage_loader.hpp"

#include <algorithm>
#include <cstdlib>

#include "redshift_csv.hpp"
#include "redshift_literal.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;
namespace {

// One statement's text, its last row apart; the server's limit is 16 MB.
constexpr std::size_t kMaxStatementBytes = 1U << 20;
constexpr uint64_t kMaxStatementRows = 2000;

std::string column_list(const Load& load) {
  std::string out = load.numbered ? load.shape.row_number : std::string();
  for (const auto& column : load.shape.columns) {
    if (!out.empty()) out += ", ";
    out += column.name;
  }
  return out;
}

}  // namespace

Status StageLoader::append_values(std::string& out, const Load& load, uint64_t row) {
  out += '(';
  if (load.numbered) out += std::to_string(load.number(row));
  const cdcrt_cell* cells = load.cells(row);
  for (std::size_t i = 0; i < load.columns.size(); ++i) {
    if (i > 0 || load.numbered) out += ", ";
    const uint32_t index = load.columns[i];
    if (cells[index].tag == CDCRT_STRING) {
      const char* const text = static_cast<const char*>(cells[index].value.data);
      removed_nul_ += static_cast<uint64_t>(std::count(text, text + cells[index].size, '\0'));
    }
    Status status = sql::redshift::append_cell(out, cells[index], load.shape.columns[i].type, sdk::view(load.write.columns[index].name));
    if (!status) return status;
  }
  out += ')';
  return {};
}

Status StageLoader::load(const Load& load, RefusedCopy& refused) {
  const bool by_files =
      settings_.staging.enabled && load.write.is_direct == 0 && (load.needs_files || is_large(load.rows(), load.text_bytes));
  return by_files ? by_copy(load, refused) : by_insert(load);
}

Status StageLoader::by_insert(const Load& load) {
  const std::string head = "INSERT INTO " + std::string(load.into) + " (" + column_list(load) + ") VALUES ";
  std::string text;
  for (uint64_t first = 0, last = 0; first < load.rows(); first = last) {
    text = head;
    Status status;
    for (last = first; last < load.rows() && last - first < kMaxStatementRows && text.size() < kMaxStatementBytes && status; ++last) {
      if (last > first) text += ", ";
      status = append_values(text, load, last);
    }
    int64_t inserted = 0;
    if (status) status = session_.execute(text, load.what, sql::Moment::kStatement, &inserted);
    if (!status) return status;
    if (inserted != static_cast<int64_t>(last - first)) {
      return Status::error(CDCRT_BUSY, std::string(load.what) + ": " + std::to_string(inserted) + " of " + std::to_string(last - first) +
                                           " rows were inserted");
    }
  }
  return {};
}

Status StageLoader::by_copy(const Load& load, RefusedCopy& refused) {
  aws::StagingSettings files = settings_.staging.files;
  if (files.files == 0) files.files = slices();
  sql::RedshiftCsv csv(sql::make_null_text());
  aws::StagedSet set;
  {
    aws::StagingWriter writer(files_.client(), files, place_.prefix(), place_.next_name(), load.rows(),
                              aws::files_for(files, load.rows(), load.text_bytes));
    Status status;
    for (uint64_t row = 0; row < load.rows() && status; ++row) {
      std::string& text = writer.text();
      const cdcrt_cell* cells = load.cells(row);
      if (load.numbered) sql::RedshiftCsv::append_number(text, load.number(row));
      for (std::size_t i = 0; i < load.columns.size(); ++i) {
        if (i > 0 || load.numbered) text += ',';
        csv.append(text, cells[load.columns[i]], load.shape.columns[i].type.storage);
      }
      text += '\n';
      status = writer.end_row();
    }
    if (status) status = writer.finish(set);
    if (!status) {
      static_cast<void>(writer.abort());
      return as_outage(std::move(status));
    }
  }
  files_.add(set.keys());
  removed_nul_ += csv.removed_nul_bytes();
  const std::string columns = column_list(load);
  Status status = copy(set, {load.into, columns, csv.null_text(), load.what, load.into_stage, load.is_counted});
  if (!status) {
    for (const auto& file : set.files) refused.urls.push_back(file.url);
  }
  return status;
}

Status StageLoader::copy(const aws::StagedSet& set, const Copy& copy) {
  std::string text = "COPY " + std::string(copy.into) + " (" + std::string(copy.columns) + ") FROM ";
  sql::redshift::append_text(text, set.manifest_url);
  text += " MANIFEST ";
  const std::string& role = settings_.staging.iam_role;
  if (role == "default") {
    text += "IAM_ROLE default";
  } else if (!role.empty()) {
    text += "IAM_ROLE ";
    sql::redshift::append_text(text, role);
  } else {
    aws::Credentials keys;
    Status status = files_.client().credentials(keys);
    if (!status) return as_outage(std::move(status));
    session_.hide({keys.access_key, keys.secret_key, keys.session_token});
    text += "ACCESS_KEY_ID ";
    sql::redshift::append_text(text, keys.access_key);
    text += " SECRET_ACCESS_KEY ";
    sql::redshift::append_text(text, keys.secret_key);
    if (!keys.session_token.empty()) {
      text += " SESSION_TOKEN ";
      sql::redshift::append_text(text, keys.session_token);
    }
  }
  const std::string region = files_.client().settings().region;
  if (!region.empty()) {
    text += " REGION ";
    sql::redshift::append_text(text, region);
  }
  text += " FORMAT AS CSV";
  if (settings_.staging.files.compression == aws::Compression::kGzip) text += " GZIP";
  text += " NULL AS ";
  sql::redshift::append_text(text, copy.null_text);
  // COMPUPDATE would change encodings of an empty target. For a target STATUPDATE is left to Redshift: naming it needs the table's owner.
  text += " TIMEFORMAT 'auto' DATEFORMAT 'auto' ROUNDEC COMPUPDATE OFF";
  if (copy.into_stage) text += " STATUPDATE OFF";
  text += " MAXERROR 0";
  Status status = session_.execute(text, copy.what);
  if (!status || copy.is_counted) return status;
  Field loaded;
  status = session_.answer("SELECT pg_last_copy_count()", copy.what, loaded);
  if (!status) return status;
  const uint64_t count = loaded ? std::strtoull(loaded->c_str(), nullptr, 10) : 0;
  if (count != set.rows) {
    return Status::error(CDCRT_BUSY,
                         std::string(copy.what) + ": COPY loaded " + std::to_string(count) + " of " + std::to_string(set.rows) + " rows");
  }
  return {};
}

/// What worked at the start and is refused now (keys that expired, a grant taken back) is waited for until it is mended.
Status StageLoader::as_outage(Status status) const {
  if (!place_.proven || status.code() == CDCRT_RETRY) return status;
  // The next connection tries again, and has refused keys read anew.
  if (status.code() == CDCRT_AUTH) place_.proven = false;
  return Status::error(CDCRT_UNREACHABLE, std::string(status.message()), std::string(status.hint()));
}

uint32_t StageLoader::slices() {
  const uint32_t known = place_.slices;
  return known != 0 ? known : 8;
}

// A process that just starts holds no lease: another that takes one up may remove its files meanwhile.
Status StageLoader::probe() {
  Status status = probe_once();
  if (status || status.code() == CDCRT_RETRY) return status;
  return probe_once();
}

Status StageLoader::probe_once() {
  if (!settings_.staging.enabled) return {};
  constexpr std::string_view kWhat = "cannot load a row through staging.url as a test";
  Field slices;
  if (settings_.staging.files.files == 0 && session_.answer("SELECT COUNT(*) FROM stv_slices", "cannot count the slices", slices) &&
      slices) {
    place_.slices = std::clamp<uint32_t>(static_cast<uint32_t>(std::strtoul(slices->c_str(), nullptr, 10)), 1, 128);
  }
  Status status = session_.execute("BEGIN", kWhat);
  if (!status) return status;
  status = session_.execute("CREATE TEMP TABLE cdcrt_probe (n BIGINT)", kWhat);
  if (status) {
    aws::StagedSet set;
    aws::StagingWriter writer(files_.client(), settings_.staging.files, place_.prefix(), place_.next_name(), 1, 1);
    writer.text() += "1\n";
    status = writer.end_row();
    if (status) status = writer.finish(set);
    if (!status) static_cast<void>(writer.abort());
    files_.add(set.keys());
    const std::string null_text = sql::make_null_text();
    if (status) status = copy(set, {"cdcrt_probe", "n", null_text, kWhat, true, false});
  }
  Status undone = session_.execute("ROLLBACK", kWhat);
  // Without the right to delete, files would pile up unseen.
  Status removed = files_.remove();
  if (status) status = std::move(removed);
  if (status && !place_.proven)
    host_.info("staged files are written to " + aws::s3_url(settings_.staging.location.bucket, place_.prefix()) + " as " +
               files_.client().identity());
  if (status) place_.proven = true;
  return status ? std::move(undone) : std::move(status);
}

}  // namespace cdcrt::redshift
