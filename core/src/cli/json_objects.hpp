// A list of flat JSON objects, with the place of every key and value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::cli {

struct JsonMember {
  enum class Kind : uint8_t { kString, kBoolean, kOther };
  std::string key, value;  ///< a boolean is "true" or "false"
  Kind kind = Kind::kString;
  std::size_t key_begin = 0, key_end = 0, value_begin = 0, value_end = 0;  ///< bytes of the text, quotes included
};

struct JsonObject {
  std::vector<JsonMember> members;
  std::size_t begin = 0;
};

struct JsonFault {
  std::size_t offset = 0;
  std::string what;  ///< "Missing a comma or ] after an array element."
};

struct JsonObjects {
  std::vector<JsonObject> objects;
  std::optional<JsonFault> fault;  ///< the text is something else from here on
};

/// Reads [{"a": "b"}, ...].
JsonObjects read_json_objects(std::string_view text);

}  // namespace cdcrt::cli
