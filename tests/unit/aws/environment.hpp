// Environment: variables for the length of a test, with everything of AWS unset first.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace cdcrt::test {

class Environment {
 public:
  Environment() {
    char name[] = "/tmp/cdcrt-aws-XXXXXX";
    folder_ = ::mkdtemp(name);
    clear();
    set("HOME", folder_);
    set("AWS_EC2_METADATA_DISABLED", "true");
  }
  ~Environment() {
    clear();
    std::filesystem::remove_all(folder_);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  void unset(const char* name) { ::unsetenv(name); }
  /// Below the home folder. Answers its path.
  std::string write(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path(folder_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

 private:
  static void clear() {
    for (const char* name : {"AWS_ACCESS_KEY_ID",
                             "AWS_SECRET_ACCESS_KEY",
                             "AWS_SESSION_TOKEN",
                             "AWS_PROFILE",
                             "AWS_DEFAULT_PROFILE",
                             "AWS_REGION",
                             "AWS_DEFAULT_REGION",
                             "AWS_SHARED_CREDENTIALS_FILE",
                             "AWS_CONFIG_FILE",
                             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                             "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                             "AWS_EC2_METADATA_DISABLED",
                             "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                             "AWS_ENDPOINT_URL",
                             "AWS_ENDPOINT_URL_S3",
                             "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                             "AWS_ENDPOINT_URL_STS",
                             "AWS_ENDPOINT_URL_REDSHIFT",
                             "AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS",
                             "AWS_WEB_IDENTITY_TOKEN_FILE",
                             "AWS_ROLE_ARN",
                             "AWS_ROLE_SESSION_NAME",
                             "AWS_USE_FIPS_ENDPOINT",
                             "AWS_USE_DUALSTACK_ENDPOINT",
                             "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"})
      ::unsetenv(name);
  }
  std::string folder_;
};

}  // namespace cdcrt::test
