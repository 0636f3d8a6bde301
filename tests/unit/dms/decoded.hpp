// Test host: messages of AWS DMS in, rows out as one line each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cdcrt::test {

using DmsOptions = std::map<std::string, std::string>;

/// UPDATE shop.customer id=1 name='Ann' before id=2. Absent cells are left out; a definition lists its columns with their types. A dead
/// letter is "dead letter: " and why, then " | " and the hint. Throws std::runtime_error when the plugin refuses a setting.
std::vector<std::string> decode_dms(const std::vector<std::optional<std::string>>& values, const DmsOptions& options = {});
std::string decode_dms(const std::string& value, const DmsOptions& options = {});

/// How many shapes the host is asked for when it has decoded all of them once and does so again.
int shapes_asked_for_again(const std::vector<std::string>& values);

/// The bytes of the rows' source order, hexadecimal; empty: none.
std::vector<std::string> orders_of(const std::vector<std::string>& values, const DmsOptions& options = {});

/// A record of data: `data` is the object's text, `more` what follows the usual metadata (", \"a\": 1"), `beside` what stands before data.
std::string dms_record(const std::string& operation, const std::string& data, const std::string& more = "", const std::string& beside = "");
/// A control record; `control`: the object's text, empty: none.
std::string dms_control(const std::string& operation, const std::string& control, const std::string& table = "customer");

}  // namespace cdcrt::test
