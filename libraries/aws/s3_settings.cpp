#include "aws/s3_settings.hpp"

#include <algorithm>

namespace cdcrt::aws {
namespace {

bool is_bucket_character(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '.';
}

}  // namespace

sdk::Status parse_s3_url(std::string_view url, std::string_view option, S3Location& out) {
  const auto refuse = [&](std::string why) {
    // Whoever writes user:password@ into it shall not find that in a log.
    const std::string shown = url.find('@') == std::string_view::npos ? "'" + std::string(url) + "'" : "the address";
    return sdk::Status::bad_config(std::string(option), shown + " " + std::move(why), "write s3://bucket/prefix/");
  };
  constexpr std::string_view kScheme = "s3://";
  if (url.substr(0, kScheme.size()) != kScheme) return refuse("is no S3 URL");
  const std::string_view rest = url.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  const std::string_view bucket = rest.substr(0, slash);
  // The rule of buckets made since 2018; nothing else can be addressed by a host's name.
  if (bucket.size() < 3 || bucket.size() > 63 || !std::all_of(bucket.begin(), bucket.end(), is_bucket_character) || bucket.front() == '-' ||
      bucket.front() == '.' || bucket.back() == '-' || bucket.back() == '.') {
    return refuse("has no name of a bucket (3 to 63 lower-case letters, digits, '-', '.')");
  }
  std::string prefix(slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1));
  if (prefix.find_first_of("?#") != std::string::npos) return refuse("has a '?' or '#', which no prefix here may hold");
  if (!prefix.empty() && (prefix.front() == '/' || prefix.find("//") != std::string::npos))
    return refuse("has an empty part between slashes");
  if (prefix.size() > 512) return refuse("has a prefix of more than 512 bytes");
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  out.bucket = bucket;
  out.prefix = std::move(prefix);
  return {};
}

std::string s3_url(std::string_view bucket, std::string_view key) { return "s3://" + std::string(bucket) + "/" + std::string(key); }

}  // namespace cdcrt::aws
