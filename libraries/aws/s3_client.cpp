#include "aws/s3_client.hpp"

#include <algorithm>

#include "aws/digest.hpp"
#include "aws/partition.hpp"
#include "aws/profile.hpp"
#include "aws/s3_errors.hpp"
#include "aws/service_caller.hpp"
#include "aws/uri.hpp"
#include "aws/xml.hpp"

namespace cdcrt::aws {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kKeysOfOneDelete = 1000;

RetryRule rule_of(const S3Settings& settings) { return {std::max(1u, settings.attempts), settings.first_wait, settings.max_wait}; }

}  // namespace

/// Everything that a request needs and that stays between requests.
class S3Client::Requests {
 public:
  Requests(S3Settings given, std::shared_ptr<CredentialsProvider> keys, S3Watch watching)
      : settings(std::move(given)), credentials(std::move(keys)), watch(std::move(watching)),
        caller("s3", credentials, read_s3_error, rule_of(settings), watch.interrupted, watch.retried) {}

  /// One request. `out` is OK, or holds a status in `accepted`; every other refusal is explained.
  sdk::Status call(const S3Action& action, std::string_view method, std::string_view key, Parameters parameters, std::string_view body,
                   std::vector<std::string> headers, ServiceAnswer& out, bool removes = false, int accepted = 0, bool fresh = false) {
    if (auto ready = prepare(); !ready.ok()) return ready;
    HttpRequest request;
    request.method = method;
    request.url = base_ + percent_encode(key, true);
    if (!parameters.empty()) request.url += "?" + canonical_query(std::move(parameters));
    request.headers = std::move(headers);
    request.headers.push_back("x-amz-content-sha256: " + sha256_hex(body));
    request.body = body;
    request.fresh = fresh;
    request.connect_timeout = settings.connect_timeout;
    request.stall_timeout = settings.stall_timeout;
    const std::string what = describe(action, settings);
    auto called = caller.call(std::move(request), settings.region, what, removes, out);
    counters.requests = caller.requests;
    counters.retries = caller.retries;
    counters.bytes_sent = caller.bytes_sent;
    if (out.clock) {
      clock = out.clock;
      clock->owner = "S3";
      clock->allowed = std::chrono::minutes(15);  // RequestTimeTooSkewed
    }
    if (!called.ok() || out.ok() || out.http.status == accepted) return called;
    return explain_refusal(out, action, settings, credentials->origin());
  }

  /// Headers of an object that is being created.
  [[nodiscard]] std::vector<std::string> new_object(std::string_view content_type) const {
    std::vector<std::string> headers{"Content-Type: " + std::string(content_type)};
    if (settings.encryption == Encryption::kS3) headers.emplace_back("x-amz-server-side-encryption: AES256");
    if (settings.encryption == Encryption::kKms) {
      headers.emplace_back("x-amz-server-side-encryption: aws:kms");
      if (!settings.kms_key.empty()) headers.push_back("x-amz-server-side-encryption-aws-kms-key-id: " + settings.kms_key);
    }
    return headers;
  }

  S3Settings settings;
  std::shared_ptr<CredentialsProvider> credentials;
  S3Watch watch;
  ServiceCaller caller;
  S3Counters counters;
  std::optional<sdk::Clock> clock;
  bool is_amazon = false;  ///< set by prepare()

  /// Settles where the bucket is; once.
  sdk::Status prepare() {
    if (!base_.empty()) return {};
    const std::string option = settings.options + ".";
    settings.region = find_region(settings.region, settings.profile);
    const bool elsewhere =
        !settings.endpoint.empty() || !environment("AWS_ENDPOINT_URL_S3").empty() || !environment("AWS_ENDPOINT_URL").empty();
    if (settings.region.empty()) {
      if (!elsewhere)
        return sdk::Status::bad_config(option + "region", "the bucket's region is not known",
                                       "set region, or AWS_REGION, or region in the profile of ~/.aws/config");
      settings.region = "us-east-1";
    }
    if (settings.region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      return sdk::Status::bad_config(option + "region", "'" + settings.region + "' is no region's name", "write it like eu-west-1");
    // The certificate of *.s3.REGION.amazonaws.com covers no further dot.
    if (settings.bucket.find('.') != std::string::npos) settings.path_style = true;
    std::string why;
    if (settings.encryption == Encryption::kKms && of_another_partition(settings.kms_key, settings.region, why))
      return sdk::Status::bad_config(option + "kms_key", why, "give a key of " + arn_prefix(settings.region) + ":kms:" + settings.region);
    Endpoint endpoint;
    if (auto found = find_endpoint(Service::kS3, settings.region, settings.profile, option + "endpoint", settings.endpoint, endpoint);
        !found.ok())
      return found;
    is_amazon = endpoint.authority.find(".amazonaws.") != std::string::npos;
    if (settings.endpoint.empty()) settings.endpoint = "https://" + endpoint.authority;
    base_ = settings.path_style ? endpoint.scheme + "://" + endpoint.authority + endpoint.base + "/" + settings.bucket + "/"
                                : endpoint.scheme + "://" + settings.bucket + "." + endpoint.authority + endpoint.base + "/";
    return {};
  }

 private:
  std::string base_;
};

S3Client::S3Client(S3Settings settings, std::shared_ptr<CredentialsProvider> credentials, S3Watch watch)
    : requests_(std::make_unique<Requests>(std::move(settings), std::move(credentials), std::move(watch))) {}
S3Client::~S3Client() = default;
S3Client::S3Client(S3Client&&) noexcept = default;
S3Client& S3Client::operator=(S3Client&&) noexcept = default;

sdk::Status S3Client::put_object(std::string_view key, std::string_view body, std::string_view content_type) {
  ServiceAnswer answer;
  return requests_->call({"s3:PutObject", key}, "PUT", key, {}, body, requests_->new_object(content_type), answer);
}

sdk::Status S3Client::start_multipart(std::string_view key, std::string& upload_id) {
  ServiceAnswer answer;
  auto started = requests_->call({"s3:PutObject", key}, "POST", key, {{"uploads", ""}}, {},
                                 requests_->new_object("application/octet-stream"), answer, false, 0, true);
  upload_id = started.ok() ? element_text(answer.http.body, "UploadId").value_or("") : std::string();
  if (started.ok() && upload_id.empty())
    started = sdk::Status::fatal("starting an upload of " + s3_url(settings().bucket, key) + " answered no UploadId");
  if (answer.attempts > 1) {
    // An attempt whose answer was lost may have started an upload that no one would end. Best effort: listing may not be granted.
    std::vector<S3Upload> uploads;
    if (list_uploads(key, uploads).ok())
      for (const auto& upload : uploads)
        if (upload.key == key && upload.upload_id != upload_id) (void)abort_multipart(key, upload.upload_id);
  }
  return started;
}

sdk::Status S3Client::upload_part(std::string_view key, std::string_view upload_id, uint32_t number, std::string_view body,
                                  std::string& etag) {
  ServiceAnswer answer;
  auto sent =
      requests_->call({"s3:PutObject", key}, "PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", std::string(upload_id)}},
                      body, {"Content-Type: application/octet-stream"}, answer);
  if (!sent.ok()) return sent;
  etag = answer.http.header("etag");
  if (etag.empty()) return sdk::Status::fatal("uploading a part of " + s3_url(settings().bucket, key) + " answered no ETag");
  return {};
}

sdk::Status S3Client::complete_multipart(std::string_view key, std::string_view upload_id, const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < etags.size(); ++i)
    body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + escape_xml(etags[i]) + "</ETag></Part>";
  body += "</CompleteMultipartUpload>";
  const S3Action action{"s3:PutObject", key};
  ServiceAnswer answer;
  auto done = requests_->call(action, "POST", key, {{"uploadId", std::string(upload_id)}}, body, {"Content-Type: application/xml"}, answer,
                              false, 404);
  if (!done.ok() || answer.ok()) return done;
  if (answer.error.code == "NoSuchUpload") {
    // An earlier attempt may have done it, ours or one of libcurl's own over a connection that had died.
    bool found = false;
    uint64_t size = 0;
    if (auto looked = head_object(key, found, size); !looked.ok()) return looked;
    if (found) return {};
    return sdk::Status::retry("the upload of " + s3_url(settings().bucket, key) + " is gone: someone else aborted it");
  }
  return explain_refusal(answer, action, settings(), requests_->credentials->origin());
}

sdk::Status S3Client::abort_multipart(std::string_view key, std::string_view upload_id) {
  ServiceAnswer answer;
  const S3Action action{"s3:AbortMultipartUpload", key};
  auto done = requests_->call(action, "DELETE", key, {{"uploadId", std::string(upload_id)}}, {}, {}, answer, true, 404);
  if (!done.ok() || answer.ok() || answer.error.code == "NoSuchUpload") return done;
  return explain_refusal(answer, action, settings(), requests_->credentials->origin());
}

sdk::Status S3Client::head_object(std::string_view key, bool& found, uint64_t& size) {
  ServiceAnswer answer;
  auto done = requests_->call({"s3:GetObject", key}, "HEAD", key, {}, {}, {}, answer, false, 404);
  found = done.ok() && answer.ok();
  const std::string_view length = found ? answer.http.header("content-length") : std::string_view();
  size = length.empty() ? 0 : std::stoull(std::string(length));
  return done;
}

sdk::Status S3Client::get_object(std::string_view key, std::string& body) {
  ServiceAnswer answer;
  auto done = requests_->call({"s3:GetObject", key}, "GET", key, {}, {}, {}, answer);
  if (done.ok()) body = std::move(answer.http.body);
  return done;
}

sdk::Status S3Client::list_objects(std::string_view prefix, std::vector<S3Object>& out) {
  std::string token;
  do {
    Parameters parameters{{"list-type", "2"}, {"prefix", std::string(prefix)}};
    if (!token.empty()) parameters.emplace_back("continuation-token", token);
    ServiceAnswer answer;
    if (auto done = requests_->call({"s3:ListBucket", prefix, true}, "GET", "", std::move(parameters), {}, {}, answer, true); !done.ok())
      return done;
    for (const auto entry : elements(answer.http.body, "Contents")) {
      const auto key = element_text(entry, "Key");
      if (key) out.push_back({*key, std::stoull("0" + element_text(entry, "Size").value_or(""))});
    }
    token = element_text(answer.http.body, "IsTruncated").value_or("") == "true"
                ? element_text(answer.http.body, "NextContinuationToken").value_or("")
                : std::string();
  } while (!token.empty());
  return {};
}

sdk::Status S3Client::list_uploads(std::string_view prefix, std::vector<S3Upload>& out) {
  std::string key_marker, upload_marker;
  do {
    Parameters parameters{{"prefix", std::string(prefix)}, {"uploads", ""}};
    if (!key_marker.empty()) parameters.emplace_back("key-marker", key_marker);
    if (!upload_marker.empty()) parameters.emplace_back("upload-id-marker", upload_marker);
    ServiceAnswer answer;
    if (auto done =
            requests_->call({"s3:ListBucketMultipartUploads", prefix, true}, "GET", "", std::move(parameters), {}, {}, answer, true);
        !done.ok())
      return done;
    for (const auto entry : elements(answer.http.body, "Upload")) {
      const auto key = element_text(entry, "Key"), id = element_text(entry, "UploadId");
      if (key && id && key->rfind(prefix, 0) == 0) out.push_back({*key, *id});
    }
    const bool more = element_text(answer.http.body, "IsTruncated").value_or("") == "true";
    key_marker = more ? element_text(answer.http.body, "NextKeyMarker").value_or("") : std::string();
    upload_marker = more ? element_text(answer.http.body, "NextUploadIdMarker").value_or("") : std::string();
  } while (!key_marker.empty());
  return {};
}

sdk::Status S3Client::delete_objects(const std::vector<std::string>& keys) {
  sdk::Status first;
  if (!keys.empty()) first = requests_->prepare();
  if (!first.ok()) return first;
  for (std::size_t begin = 0; begin < keys.size(); begin += kKeysOfOneDelete) {
    const std::size_t end = std::min(keys.size(), begin + kKeysOfOneDelete);
    std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
    for (std::size_t i = begin; i < end; ++i) body += "<Object><Key>" + escape_xml(keys[i]) + "</Key></Object>";
    body += "</Delete>";
    const S3Action action{"s3:DeleteObject", keys[begin]};
    // S3 wants one digest of the body. Of other servers some know MD5 alone and refuse what they do not know; OpenSSL in FIPS mode has
    // none.
    std::vector<std::string> headers{"Content-Type: application/xml"};
    if (const std::string md5 = requests_->is_amazon ? std::string() : md5_base64(body); !md5.empty()) {
      headers.push_back("Content-MD5: " + md5);
    } else {
      headers.push_back("x-amz-checksum-sha256: " + sha256_base64(body));
      headers.emplace_back("x-amz-sdk-checksum-algorithm: SHA256");
    }
    ServiceAnswer answer;
    auto done = requests_->call(action, "POST", "", {{"delete", ""}}, body, headers, answer, true);
    for (const auto refused : done.ok() ? elements(answer.http.body, "Error") : std::vector<std::string_view>()) {
      answer.error.code = element_text(refused, "Code").value_or("");
      answer.error.message = element_text(refused, "Message").value_or("");
      if (answer.error.code == "NoSuchKey") continue;
      const std::string key = element_text(refused, "Key").value_or("");
      done = explain_refusal(answer, {"s3:DeleteObject", key}, settings(), requests_->credentials->origin());
      break;
    }
    if (!done.ok() && first.ok()) first = std::move(done);
  }
  return first;
}

sdk::Status S3Client::delete_prefix(std::string_view prefix, uint64_t& deleted) {
  deleted = 0;
  if (prefix.size() < 2 || prefix.back() != '/')
    return sdk::Status::fatal("asked to delete everything below '" + std::string(prefix) + "', which is no folder of this process");
  std::vector<S3Upload> uploads;
  if (auto listed = list_uploads(prefix, uploads); !listed.ok()) return listed;
  for (const auto& upload : uploads) {
    if (auto aborted = abort_multipart(upload.key, upload.upload_id); !aborted.ok()) return aborted;
    ++deleted;
  }
  std::vector<S3Object> objects;
  if (auto listed = list_objects(prefix, objects); !listed.ok()) return listed;
  std::vector<std::string> keys;
  for (auto& object : objects) keys.push_back(std::move(object.key));
  if (auto done = delete_objects(keys); !done.ok()) return done;
  deleted += keys.size();
  return {};
}

const S3Settings& S3Client::settings() const { return requests_->settings; }
const S3Counters& S3Client::counters() const { return requests_->counters; }
const std::optional<sdk::Clock>& S3Client::clock() const { return requests_->clock; }
sdk::Status S3Client::credentials(Credentials& out) { return requests_->credentials->get(out, true); }
std::string S3Client::identity() const { return requests_->credentials->origin(); }
S3Client S3Client::another() const { return {requests_->settings, requests_->credentials, requests_->watch}; }

}  // namespace cdcrt::aws
