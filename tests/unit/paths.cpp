#include "paths.hpp"

namespace paths {

std::string source() { return CDCRT_SOURCE_DIR; }
std::string test_data() { return CDCRT_SOURCE_DIR "/tests/data"; }
std::string plugins() { return CDCRT_BUILD_DIR "/lib/cdcrt/plugins"; }

}  // namespace paths
