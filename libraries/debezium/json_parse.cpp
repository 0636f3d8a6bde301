#include "debezium/json_parse.hpp"

#include "cdcrt/sdk/json_parse.hpp"

namespace cdcrt::debezium {

bool parse_json(std::string_view text, sdk::JsonTape& tape) { return sdk::parse_json(text, tape); }

}  // namespace cdcrt::debezium
