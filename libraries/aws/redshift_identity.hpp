// RedshiftIdentity: logins to Redshift by IAM, without a password of one's own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// What "[serverless:]NAME[@REGION]/DATABASE[/USER][#KEY]" names.
struct RedshiftReference {
  bool serverless = false;
  std::string name;    ///< of a cluster, or of a workgroup
  std::string region;  ///< empty: the environment's or profile's
  std::string database;
  std::string user;  ///< of a cluster: a database user (GetClusterCredentials); empty: the IAM identity itself
  std::string key;   ///< username, password, host, port, dbname; empty: all of them as a JSON object

  /// BAD_CONFIG when it names none. No request is made.
  static sdk::Status parse(std::string_view text, RedshiftReference& out);
};

struct RedshiftLogin {
  std::string json;  ///< {"username":..,"password":..,"dbname":..,"host":..,"port":..}; the last two where they may be asked for
  std::chrono::system_clock::time_point expires_at;
};

/// One thread at a time. Endpoints: $AWS_ENDPOINT_URL_REDSHIFT, $AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS, $AWS_ENDPOINT_URL, else Amazon's.
class RedshiftIdentity {
 public:
  explicit RedshiftIdentity(std::shared_ptr<CredentialsProvider> credentials, Interrupted interrupted = {});
  ~RedshiftIdentity();
  RedshiftIdentity(const RedshiftIdentity&) = delete;
  RedshiftIdentity& operator=(const RedshiftIdentity&) = delete;

  /// GetClusterCredentials, GetClusterCredentialsWithIAM or the serverless GetCredentials, good for an hour. DescribeClusters or
  /// GetWorkgroup tell host and port, and that it is paused; where they are not granted, both are left out. BAD_CONFIG: no such cluster or
  /// workgroup, no region; AUTH: no or wrong keys; FATAL: not granted; UNREACHABLE: paused, or no answer; RETRY: no answer after some
  /// attempts.
  sdk::Status login(const RedshiftReference& reference, RedshiftLogin& out);

 private:
  class Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace cdcrt::aws
