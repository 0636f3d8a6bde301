#include "aws/service_caller.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace cdcrt::aws {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLastMoment{5000};

bool is_expired(const ServiceError& error) {
  return error.code == "ExpiredToken" || error.code == "ExpiredTokenException" || error.code == "TokenRefreshRequired" ||
         error.code == "InvalidToken" || error.code == "UnrecognizedClientException" || error.code == "InvalidAccessKeyId" ||
         error.code == "InvalidClientTokenId";
}

bool will_pass(int status, const ServiceError& error) {
  if (status == 500 || status == 502 || status == 503 || status == 504 || status == 429 || status == 408) return true;
  for (const std::string_view code :
       {"SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "Throttling", "ThrottlingException", "ThrottledException",
        "RequestLimitExceeded", "OperationAborted", "InternalServiceError", "InternalFailure", "InternalServiceErrorException"})
    if (error.code == code) return true;
  return false;
}

/// A signature that does not match is answered with what was signed, the headers with their token among it (Signature Version 4
/// troubleshooting in AWS's IAM guide).
void hide_secrets(std::string& text, const Credentials& keys) {
  if (const auto signed_part = text.find("The Canonical String"); signed_part != std::string::npos) text.resize(signed_part);
  for (const std::string& secret : {keys.session_token, keys.secret_key}) {
    if (secret.empty()) continue;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) text.replace(at, secret.size(), "***"), at += 3;
  }
}

std::string describe(const HttpAnswer& answer, const ServiceError& error) {
  if (answer.failure != HttpFailure::kNone) return answer.failure_text;
  std::string text = std::to_string(answer.status);
  if (!error.code.empty()) text += " " + error.code;
  if (!error.message.empty()) text += ": " + error.message;
  return text;
}

}  // namespace

milliseconds back_off(const RetryRule& rule, uint32_t attempt) {
  const uint64_t first = static_cast<uint64_t>(std::max<int64_t>(1, rule.first_wait.count()));
  const uint64_t max_milliseconds = static_cast<uint64_t>(std::max<int64_t>(1, rule.max_wait.count()));
  const uint64_t whole = std::min(max_milliseconds, first << std::min(attempt - 1, 20u));
  thread_local std::minstd_rand random(std::random_device{}());
  return milliseconds(whole / 2 + random() % (whole / 2 + 1));
}

ServiceCaller::ServiceCaller(std::string service, std::shared_ptr<CredentialsProvider> credentials, ReadError read_error, RetryRule rule,
                             Interrupted interrupted, Retried retried)
    : service_(std::move(service)), credentials_(std::move(credentials)), read_error_(read_error), rule_(rule),
      interrupted_(std::move(interrupted)), retried_(std::move(retried)) {}

bool ServiceCaller::wait(milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  for (;;) {
    if (interrupted()) return false;
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) return true;
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(left, milliseconds(100)));
  }
}

sdk::Status ServiceCaller::call(HttpRequest request, std::string_view region, std::string_view what, bool removes, ServiceAnswer& out) {
  const std::string host = request.url.substr(0, request.url.find('/', request.url.find("://") + 3));
  bool refreshed = false;
  for (uint32_t attempt = 1;; ++attempt) {
    const bool hurried = removes && interrupted();
    if (!removes && interrupted()) return sdk::Status::retry(std::string(what) + " was interrupted");
    if (hurried) request.total_timeout = kLastMoment;

    Credentials keys;
    if (credentials_ != nullptr) {
      if (auto got = credentials_->get(keys); !got.ok()) return got;
    }
    const HttpSignature signature{&keys, region, service_};
    out = ServiceAnswer{};
    const sdk::ClockQuestion question;
    out.http = connection_.send(request, credentials_ == nullptr ? nullptr : &signature, hurried || removes ? Interrupted() : interrupted_);
    out.attempts = attempt;
    if (const auto date = out.http.date()) {
      out.clock =
          question.answered(host.substr(host.find("://") + 3),
                            std::chrono::duration_cast<std::chrono::microseconds>(date->time_since_epoch()), std::chrono::seconds(1));
    }
    requests += 1;
    bytes_sent += request.body.size();
    out.error = read_error_(out.http);
    hide_secrets(out.error.message, keys);

    if (out.http.failure == HttpFailure::kInterrupted) return sdk::Status::retry(std::string(what) + " was interrupted");
    if (out.http.failure == HttpFailure::kCertificate) {
      return sdk::Status::error(
          CDCRT_UNREACHABLE, std::string(what) + ": TLS with " + host + " failed: " + out.http.failure_text,
          "check the endpoint's name, the machine's certificates (AWS_CA_BUNDLE names a list of your own), and its clock");
    }
    if (out.http.failure == HttpFailure::kNone) {
      if (credentials_ != nullptr && is_expired(out.error)) {
        credentials_->invalidate(keys);
        if (refreshed) return {};
        refreshed = true;
        retries += 1;
        if (retried_) retried_(what, describe(out.http, out.error), milliseconds(0));
        continue;
      }
      if (!will_pass(out.http.status, out.error)) return {};
    }

    const std::string why = describe(out.http, out.error);
    const bool last = attempt >= rule_.attempts || hurried;
    const milliseconds pause = back_off(rule_, attempt);
    if (!last) {
      retries += 1;
      if (retried_) retried_(what, why, pause);
      if (wait(pause) || removes) continue;
      return sdk::Status::retry(std::string(what) + " was interrupted while it waited to be tried again; the last answer was: " + why);
    }
    const std::string tries = std::to_string(attempt) + (attempt == 1 ? " attempt" : " attempts");
    if (out.http.failure == HttpFailure::kUnreachable) {
      return sdk::Status::error(CDCRT_UNREACHABLE, std::string(what) + ": " + host + " cannot be reached (" + tries + "): " + why,
                                std::string("check region and endpoint") +
                                    (service_ == "sts" ? " (AWS_REGION, AWS_ENDPOINT_URL_STS)" : "") +
                                    ", and the network's way there (NAT, VPC endpoint, proxy)" +
                                    (service_ == "s3" ? "; path_style for endpoints whose host has no names below it" : ""));
    }
    return sdk::Status::retry(std::string(what) + " failed in " + tries + ", the last time with: " + why);
  }
}

}  // namespace cdcrt::aws
