// Base64 as plugins know it.
#pragma once

#include "cdcrt/sdk/base64.hpp"

namespace cdcrt::types {

using sdk::base64_decoded_bound;
using sdk::base64_size;
using sdk::decode_base64;
using sdk::encode_base64;
using sdk::encode_base64_url;

}  // namespace cdcrt::types
