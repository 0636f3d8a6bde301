// Names that the operator may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::kafka_source {

/// Those of `known` that are a slip of the finger away from `name`, nearest first, at most `most`. Any thread.
std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& known, size_t max_names = 3);

/// "did you mean 'a' or 'b'?", empty where nothing is near.
std::string did_you_mean(const std::vector<std::string>& near);

}  // namespace cdcrt::kafka_source
