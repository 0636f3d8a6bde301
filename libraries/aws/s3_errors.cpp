#include "aws/s3_errors.hpp"

#include "aws/partition.hpp"
#include "aws/service_errors.hpp"
#include "aws/xml.hpp"

namespace cdcrt::aws {
namespace {

std::string right_region(const ServiceAnswer& answer) {
  if (const auto header = answer.http.header("x-amz-bucket-region"); !header.empty()) return std::string(header);
  return element_text(answer.http.body, "Region").value_or("");
}

}  // namespace

ServiceError read_s3_error(const HttpAnswer& answer) {
  ServiceError error;
  if (answer.failure != HttpFailure::kNone) return error;
  const auto found = elements(answer.body, "Error");
  // DeleteObjects answers 200 with one Error per key, which is that call's own matter.
  if (answer.status / 100 == 2 && (found.empty() || answer.body.find("<DeleteResult") != std::string::npos)) return error;
  if (!found.empty()) {
    error.code = element_text(found.front(), "Code").value_or("");
    error.message = element_text(found.front(), "Message").value_or("");
  }
  return error;
}

std::string describe(const S3Action& action, const S3Settings& settings) {
  return std::string(action.name) + " " + s3_url(settings.bucket, action.object);
}

sdk::Status explain_refusal(const ServiceAnswer& answer, const S3Action& action, const S3Settings& settings, std::string_view keys_origin) {
  const int status = answer.http.status;
  const std::string& code = answer.error.code;
  std::string text = describe(action, settings) + " was refused in region " + settings.region + " with " + std::to_string(status);
  if (!code.empty()) text += " " + code;
  if (!answer.error.message.empty()) text += ": " + answer.error.message;
  const std::string option = settings.options + ".";

  if (code == "NoSuchBucket") {
    return sdk::Status::bad_config(option + "url", std::move(text), "create bucket '" + settings.bucket + "' or correct the URL");
  }
  const bool elsewhere = status == 301 || status == 307 || status == 308 || code == "AuthorizationHeaderMalformed" ||
                         code == "PermanentRedirect" || code == "IllegalLocationConstraintException" || code == "TemporaryRedirect";
  if (elsewhere) {
    const std::string region = right_region(answer);
    if (!region.empty() && region != settings.region) {
      return sdk::Status::bad_config(option + "region",
                                     "bucket '" + settings.bucket + "' is in region " + region + ", not in " + settings.region,
                                     "set region = \"" + region + "\"");
    }
    return sdk::Status::bad_config(option + "region", std::move(text), "check region and endpoint of the bucket");
  }
  const std::string keys = keys_origin.empty() ? std::string("the keys") : "the keys (" + std::string(keys_origin) + ")";
  if (std::string advice = clock_advice(answer); !advice.empty())
    return sdk::Status::error(CDCRT_UNREACHABLE, std::move(text), std::move(advice));
  if (code == "SignatureDoesNotMatch") {
    return sdk::Status::error(CDCRT_AUTH, std::move(text), "the secret key does not belong to the access key: check " + keys);
  }
  if (code == "InvalidAccessKeyId") return sdk::Status::error(CDCRT_AUTH, std::move(text), "the access key does not exist: check " + keys);
  if (code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired") {
    return sdk::Status::error(CDCRT_AUTH, std::move(text),
                              "the session token is expired or wrong, and asking for new keys gave the same: renew " + keys);
  }
  if (code.rfind("KMS.", 0) == 0 || answer.error.message.find("kms:") != std::string::npos) {
    return sdk::Status::bad_config(
        option + "encryption", std::move(text),
        "grant kms:GenerateDataKey and kms:Decrypt on the key to the writer, kms:Decrypt to Redshift's role, and check "
        "that the key is enabled and in the bucket's region");
  }
  if (status == 403 || code == "AccessDenied") {
    const std::string resource = arn_prefix(settings.region) + ":s3:::" + settings.bucket + (action.of_bucket ? "" : "/*");
    return sdk::Status::bad_config(option + "url", std::move(text),
                                   "allow " + std::string(action.name) + " on " + resource + " to " + keys +
                                       "; a bucket policy, a VPC endpoint's policy or the bucket's encryption rule may deny it too");
  }
  if (status == 404 && code.empty()) {
    return sdk::Status::bad_config(option + "endpoint", std::move(text), "is the endpoint S3, and does it want path_style?");
  }
  return sdk::Status::fatal(std::move(text), code.empty() ? "the answer is not S3's: check the endpoint and a proxy between" : "");
}

}  // namespace cdcrt::aws
