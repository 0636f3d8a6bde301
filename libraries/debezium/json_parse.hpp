// parse_json: sdk::parse_json, compiled once, in a file of its own: the compiler inlines the whole parser there, and does not where more
// stands beside it (a sixth of decoding).
#pragma once

#include <string_view>

#include "cdcrt/sdk/json_tape.hpp"

namespace cdcrt::debezium {

/// As sdk::parse_json: `text` must live as long as raw values of the tape are asked for. False: see tape.error().
bool parse_json(std::string_view text, sdk::JsonTape& tape);

}  // namespace cdcrt::debezium
