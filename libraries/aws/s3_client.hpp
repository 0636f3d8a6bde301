// S3Client: the few requests that staging needs, signed, retried by class, with errors that say which grant is missing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.hpp"
#include "aws/s3_settings.hpp"
#include "cdcrt/sdk/clock.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// What the owner of a client wants to know or to say meanwhile. Called on the client's thread.
struct S3Watch {
  Interrupted interrupted;
  /// An attempt failed and another follows after `wait`. `what`: "s3:PutObject s3://b/k"; `why`: "503 SlowDown".
  std::function<void(std::string_view what, std::string_view why, std::chrono::milliseconds wait)> retried;
};

struct S3Counters {
  uint64_t requests = 0;  ///< attempts, failed ones included
  uint64_t retries = 0;
  uint64_t bytes_sent = 0;  ///< bodies, each attempt counted
};

struct S3Object {
  std::string key;
  uint64_t size = 0;  ///< bytes
};

struct S3Upload {
  std::string key;
  std::string upload_id;
};

/// A connection that is kept alive to one bucket. One thread at a time. Keys are whole (with the location's prefix) and may hold any UTF-8.
///
/// Errors, the same for every call: RETRY: the service or the network failed `attempts` times, or the owner interrupted; UNREACHABLE: the
/// endpoint's name or port does not exist; AUTH: the keys are wrong or expired; BAD_CONFIG: no such bucket, wrong region (with the right
/// one); FATAL: the action is not granted (which one, on what), or an answer that means a defect.
class S3Client {
 public:
  S3Client(S3Settings settings, std::shared_ptr<CredentialsProvider> credentials, S3Watch watch = {});
  ~S3Client();
  S3Client(S3Client&&) noexcept;
  S3Client& operator=(S3Client&&) noexcept;

  /// Writes a whole object, at most 5 GiB. `body` is read again for each attempt.
  sdk::Status put_object(std::string_view key, std::string_view body, std::string_view content_type = "application/octet-stream");
  sdk::Status start_multipart(std::string_view key, std::string& upload_id);
  /// `number`: 1..10000. Every part but the last has at least 5 MiB. `etag` goes to complete_multipart.
  sdk::Status upload_part(std::string_view key, std::string_view upload_id, uint32_t number, std::string_view body, std::string& etag);
  /// `etags` in the order of the parts. When an answer was lost and the repetition finds no upload but the object, that is success.
  sdk::Status complete_multipart(std::string_view key, std::string_view upload_id, const std::vector<std::string>& etags);
  /// Success also when there is no such upload.
  sdk::Status abort_multipart(std::string_view key, std::string_view upload_id);

  /// `found` false and OK when there is no such object.
  sdk::Status head_object(std::string_view key, bool& found, uint64_t& size);
  sdk::Status get_object(std::string_view key, std::string& body);
  /// Every object below `prefix`, by name.
  sdk::Status list_objects(std::string_view prefix, std::vector<S3Object>& out);
  /// Uploads that were started below `prefix` and neither completed nor aborted.
  sdk::Status list_uploads(std::string_view prefix, std::vector<S3Upload>& out);
  /// In requests of 1000. Keys that do not exist are success. The first that is refused is the error; the others are still deleted.
  sdk::Status delete_objects(const std::vector<std::string>& keys);
  /// Objects and unfinished uploads below `prefix`, which must end with a slash and not be the bucket's root. `deleted`: both, counted.
  sdk::Status delete_prefix(std::string_view prefix, uint64_t& deleted);

  /// The settings with region, endpoint and path style filled in; as given before the first request.
  [[nodiscard]] const S3Settings& settings() const;
  [[nodiscard]] const S3Counters& counters() const;
  /// What the last answer told of S3's clock; none before.
  [[nodiscard]] const std::optional<sdk::Clock>& clock() const;
  /// The keys that sign, for COPY where no role is given: good for a quarter of an hour where their place gives such.
  sdk::Status credentials(Credentials& out);
  /// Who signs, in words; empty before the first request.
  [[nodiscard]] std::string identity() const;
  /// Not kept alive across a fork or for another thread: a second client of the same settings, credentials and watch.
  [[nodiscard]] S3Client another() const;

 private:
  class Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace cdcrt::aws
