// Properties of librdkafka that the operator gives: which of them may be given, and what is wrong with one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka_source {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// Passwords, keys and tokens: their values are shown nowhere.
bool is_secret_property(std::string_view name);

/// The names that librdkafka knows.
std::vector<std::string> known_properties();

/// BAD_CONFIG with key "librdkafka.NAME" for the first property that librdkafka does not take or that belongs to an option of
/// this source. Touches nothing outside of the process.
sdk::Status check_properties(const Properties& properties);

/// `text` without the values of secret properties.
std::string without_secrets(std::string text, const Properties& properties);

}  // namespace cdcrt::kafka_source
