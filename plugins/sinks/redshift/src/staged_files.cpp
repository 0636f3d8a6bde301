#include "staged_files.hpp"

#include <algorithm>
#include <random>

#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;

namespace {

std::string as_key_part(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && !out.empty());
    if (plain) {
      out += c;
    } else {
      out += '=';
      sql::append_hex(out, std::string_view(&c, 1));
    }
  }
  return out;
}

constexpr std::chrono::milliseconds kShortTimeout{5000};  // where others wait for us

std::string random_name(int parts) {
  std::random_device random;
  std::string name;
  for (int i = 0; i < parts; ++i) {
    const uint32_t part = random();
    sql::append_hex(name, std::string_view(reinterpret_cast<const char*>(&part), sizeof part));
  }
  return name;
}

}  // namespace

StagingPlace::StagingPlace(const Settings& settings, std::string sink, sdk::Host host)
    : settings_(settings), host_(std::move(host)), credentials_(aws::default_credentials(settings.staging.credentials)),
      instance_(random_name(2)), sink_(std::move(sink)), pipeline_("pipeline"), process_("process-" + random_name(4)) {}

void StagingPlace::identify(std::string_view pipeline, std::string_view process) {
  pipeline_ = pipeline;
  if (process.empty()) return;
  process_ = process;
  identified_ = true;
}

std::string StagingPlace::prefix_of(std::string_view process) const {
  return settings_.staging.location.prefix + as_key_part(pipeline_) + "/" + as_key_part(sink_) + "/" + as_key_part(process) + "/";
}

aws::S3Client StagingPlace::client(uint32_t attempts, std::chrono::milliseconds stall_timeout) const {
  aws::S3Settings s3 = settings_.staging.s3;
  if (attempts != 0) s3.attempts = attempts;
  if (stall_timeout.count() != 0) s3.stall_timeout = std::min(s3.stall_timeout, stall_timeout);
  aws::S3Watch watch;
  watch.retried = [host = host_](std::string_view what, std::string_view why, std::chrono::milliseconds wait) {
    host.log(CDCRT_LOG_INFO, std::string(what) + ": " + std::string(why) + "; again in " + std::to_string(wait.count()) + " ms");
  };
  watch.interrupted = [host = host_] { return host.leaves(); };
  return {s3, credentials_, watch};
}

Status StagingPlace::remove(std::string_view process) {
  if (process.empty() || process == process_) return {};
  // Others wait for the lock under which this is called.
  aws::S3Client s3 = client(1, kShortTimeout);
  uint64_t deleted = 0;
  Status status = s3.delete_prefix(prefix_of(process), deleted);
  if (status && deleted > 0)
    host_.info("removed " + std::to_string(deleted) + " staged files that process " + std::string(process) + " left behind");
  return status;
}

void StagingPlace::remove_own() {
  if (sets_ == 0) return;  // nothing was ever written
  aws::S3Client s3 = client(2, kShortTimeout);
  uint64_t deleted = 0;
  if (Status status = s3.delete_prefix(prefix(), deleted); !status) {
    if (!proven && s3.counters().requests == 0) return;  // there was nobody to write as, which is told already
    host_.warn("staged files may be left below " + aws::s3_url(settings_.staging.location.bucket, prefix()) + ": " +
               std::string(status.message()));
  }
}

std::string StagingPlace::next_name() { return std::to_string(++sets_); }

aws::S3Client& StagedFiles::client() {
  if (client_ == nullptr) client_ = std::make_unique<aws::S3Client>(place_.client());
  return *client_;
}

Status StagedFiles::remove() {
  if (keys_.empty()) return {};
  Status status = client().delete_objects(keys_);
  if (status) {
    keys_.clear();
  } else {
    host_.log(CDCRT_LOG_DEBUG, "staged files are removed later: " + std::string(status.message()));
  }
  return status;
}

}  // namespace cdcrt::redshift
