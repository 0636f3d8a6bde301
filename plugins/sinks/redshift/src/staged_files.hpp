// StagedFiles: this process's place in the bucket, and the files of one connection that are to go.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3_client.hpp"
#include "cdcrt/sdk/host.hpp"
#include "settings.hpp"

namespace cdcrt::redshift {

/// <url>/<pipeline>/<sink>/<process>/<instance>/: what one instance of the sink writes, and nobody else: a process may make its sink anew
/// while connections of the old one still write. Any thread.
class StagingPlace {
 public:
  StagingPlace(const Settings& settings, std::string sink, sdk::Host host);

  /// Names become parts of keys: what is not a letter, digit, '-', '_' or '.' is written as "=XX".
  /// Without a process, one is made up.
  void identify(std::string_view pipeline, std::string_view process);
  [[nodiscard]] std::string prefix() const { return prefix_of(process_) + instance_ + "/"; }
  [[nodiscard]] aws::S3Client client(uint32_t attempts = 0, std::chrono::milliseconds stall_timeout = {}) const;
  /// Deletes what `process` left. It must hold no lease any more.
  sdk::Status remove(std::string_view process);
  /// What this instance left, at its end.
  void remove_own();
  /// A name for the next set of files.
  std::string next_name();
  /// Slices of the cluster, once some connection asked; 0: not yet.
  std::atomic<uint32_t> slices{0};
  /// Staging has worked in this process: from then on its faults are outages, not settings.
  std::atomic<bool> proven{false};
  /// A pipeline runs, not a command that only looks: staging is tried before the first row needs it.
  [[nodiscard]] bool identified() const { return identified_; }

 private:
  [[nodiscard]] std::string prefix_of(std::string_view process) const;

  const Settings& settings_;
  sdk::Host host_;
  std::shared_ptr<aws::CredentialsProvider> credentials_;
  const std::string instance_;
  const std::string sink_;
  std::string pipeline_, process_;
  std::atomic<uint64_t> sets_{0};
  bool identified_ = false;
};

/// Files that a connection has written and that no statement needs any more once the transaction is over. One thread.
class StagedFiles {
 public:
  StagedFiles(StagingPlace& place, sdk::Host host) : place_(place), host_(std::move(host)) {}
  ~StagedFiles() { static_cast<void>(remove()); }
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  aws::S3Client& client();
  void add(const std::vector<std::string>& keys) { keys_.insert(keys_.end(), keys.begin(), keys.end()); }
  /// What cannot be deleted now is tried again next time, and at the end of the process.
  /// Not OK: they are kept for the next time.
  sdk::Status remove();

 private:
  StagingPlace& place_;
  sdk::Host host_;
  std::unique_ptr<aws::S3Client> client_;
  std::vector<std::string> keys_;
};

}  // namespace cdcrt::redshift
