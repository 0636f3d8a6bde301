// Profiles: ~/.aws/credentials and ~/.aws/config, as far as keys and a region are concerned.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cdcrt::aws {

/// What the two files say of one profile; where both do, the credentials file counts.
struct Profile {
  bool found = false;
  std::map<std::string, std::string, std::less<>> values;  ///< names in lower case
  std::string looked_at;                                   ///< paths, for messages
  std::string unreadable;                                  ///< a file that is there and cannot be read, with the reason
  std::string missing;                                     ///< a file that the environment names and that is not there, in words
  bool misnamed = false;                                   ///< the config file has [NAME] where it must be [profile NAME]

  [[nodiscard]] std::string value(std::string_view name) const;
};

/// $AWS_PROFILE, $AWS_DEFAULT_PROFILE, "default".
std::string chosen_profile(std::string_view given);

/// Never fails: files that are not there or cannot be read hold nothing, and the profile says so.
Profile read_profile(std::string_view name);

/// `given`, $AWS_REGION, $AWS_DEFAULT_REGION, the profile's region; empty when none says.
std::string find_region(std::string_view given, std::string_view profile);

/// An environment variable; empty when it is not set.
std::string environment(const char* name);

}  // namespace cdcrt::aws
