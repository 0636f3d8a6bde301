// Typed values out of parsed ones. Whatever does not fit is reported, with the place, and comes back as nullopt.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diagnostics/result.hpp"
#include "manifest/tree.hpp"

namespace cdcrt::manifest {

/// What is being read. `secret`: its value appears in no message.
struct Field {
  std::string name;
  Report& report;
  bool secret = false;
};

/// Strings as they are; a time as written; from --set any scalar.
std::optional<std::string> read_string(const Node& node, const Field& field);
std::optional<int64_t> read_integer(const Node& node, const Field& field);
std::optional<double> read_real(const Node& node, const Field& field);
std::optional<bool> read_boolean(const Node& node, const Field& field);
/// Microseconds.
std::optional<int64_t> read_duration(const Node& node, const Field& field);
/// Bytes.
std::optional<int64_t> read_bytes(const Node& node, const Field& field);
/// One of `allowed`, as an index. One of `not_yet` is refused as not yet available.
std::optional<std::size_t> read_choice(const Node& node, const Field& field, const std::vector<std::string>& allowed,
                                       const std::vector<std::string>& not_yet = {});
std::optional<std::vector<std::string>> read_list(const Node& node, const Field& field);
/// Keys and scalar values as text, in the order of the file. Keys that name a secret hide their values.
std::optional<std::vector<std::pair<std::string, std::string>>> read_map(const Node& node, const Field& field);

/// Reports a value that fails a further check. `why` goes behind the name, as in "'decode_workers' must be at most 1024".
void refuse_value(const Node& node, const Field& field, std::string_view code, const std::string& why, const std::string& help = {});

/// What a message may show of a value: as written, never what a ${...} became; "***" for a secret.
std::string shown(const Node& node, const Field& field);

}  // namespace cdcrt::manifest
