#include "manifest/values.hpp"

#include <algorithm>

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"
#include "manifest/units.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;
using Kind = Node::Kind;

void wrong_type(const Node& node, const Field& field, const std::string& expected, const std::string& help) {
  if (node.broken) return;
  refuse_value(node, field, diagnostics::kWrongType, "must be " + expected + ", not " + std::string(describe(node.kind)), help);
}

/// A text that may stand for another type: from --set or out of a ${...}.
bool is_loose_text(const Node& node) { return node.kind == Kind::kString && node.loose; }

/// Parses text, and says why not without showing what a reference became.
template <class T>
std::optional<T> parsed(const Node& node, const Field& field, Result<T> result, const std::string& expected, std::string_view code) {
  if (result) return *result;
  const bool may_show = !field.secret && node.text == node.written && node.text.find('@') == std::string::npos;
  const bool is_string = node.kind == Kind::kString;
  if (may_show || !is_string) {
    field.report.error(code, node.position, quote(field.name) + ": " + (field.secret ? "not " + expected : result.error().message),
                       result.error().hint);
  } else {
    refuse_value(node, field, code, "must be " + expected + "; the value of " + shown(node, field) + " is not", "");
  }
  return std::nullopt;
}

std::string example_without_quotes(const Node& node, const Field& field) {
  return node.kind == Kind::kString && !field.secret && node.text == node.written ? "write " + quote(node.text) + " without quotes"
                                                                                  : std::string();
}

}  // namespace

std::string shown(const Node& node, const Field& field) {
  if (field.secret) return "***";
  // Before it is cut: what is left of an address may end before the '@' that tells.
  return quote(diagnostics::address_without_userinfo(node.kind == Kind::kString ? node.written : node.text, diagnostics::Addresses::kAny));
}

void refuse_value(const Node& node, const Field& field, std::string_view code, const std::string& why, const std::string& help) {
  if (node.broken) return;
  field.report.error(code, node.position, quote(field.name) + " " + why, help);
}

std::optional<std::string> read_string(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind == Kind::kString || node.kind == Kind::kTime) return node.text;
  if (node.loose && !node.is_table() && node.kind != Kind::kArray) return node.text;
  const bool scalar = !node.is_table() && node.kind != Kind::kArray;
  wrong_type(node, field, "a string", scalar && !field.secret ? "write \"" + node.text + "\" in quotes" : "");
  return std::nullopt;
}

std::optional<int64_t> read_integer(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind == Kind::kInteger) return node.integer;
  if (is_loose_text(node)) return parsed(node, field, parse_integer(node.text), "an integer", diagnostics::kWrongType);
  wrong_type(node, field, "an integer", parse_integer(node.text) ? example_without_quotes(node, field) : "");
  return std::nullopt;
}

std::optional<double> read_real(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind == Kind::kInteger) return static_cast<double>(node.integer);
  if (node.kind == Kind::kFloat) {
    if (node.real - node.real == 0) return node.real;  // neither infinite nor NaN
    refuse_value(node, field, diagnostics::kBadValue, "must be a finite number", "");
    return std::nullopt;
  }
  if (is_loose_text(node)) return parsed(node, field, parse_real(node.text), "a number", diagnostics::kWrongType);
  wrong_type(node, field, "a number", parse_real(node.text) ? example_without_quotes(node, field) : "");
  return std::nullopt;
}

std::optional<bool> read_boolean(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind == Kind::kBoolean) return node.integer != 0;
  const bool reads = node.text == "true" || node.text == "false";
  if (is_loose_text(node)) {
    if (reads) return node.text == "true";
    refuse_value(node, field, diagnostics::kWrongType, "must be true or false; " + shown(node, field) + " is not", "");
    return std::nullopt;
  }
  wrong_type(node, field, "true or false", reads ? example_without_quotes(node, field) : "");
  return std::nullopt;
}

std::optional<int64_t> read_duration(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind == Kind::kString) return parsed(node, field, parse_duration(node.text), "a duration", diagnostics::kBadUnit);
  if (node.kind == Kind::kInteger || node.kind == Kind::kFloat) {
    if (node.kind == Kind::kInteger && node.integer == 0) return 0;
    refuse_value(node, field, diagnostics::kBadUnit, "is a duration and needs a unit",
                 field.secret ? "" : "write \"" + node.text + "s\" for seconds, \"" + node.text + "ms\" for milliseconds");
    return std::nullopt;
  }
  wrong_type(node, field, "a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\"");
  return std::nullopt;
}

std::optional<int64_t> read_bytes(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind == Kind::kString) return parsed(node, field, parse_bytes(node.text), "a size", diagnostics::kBadUnit);
  if (node.kind == Kind::kInteger) {
    if (node.integer >= 0) return node.integer;
    refuse_value(node, field, diagnostics::kBadValue, "must not be negative", "");
    return std::nullopt;
  }
  wrong_type(node, field, "a size", "write a number and a unit, for instance \"64MiB\", \"1GB\" or 4096");
  return std::nullopt;
}

std::optional<std::size_t> read_choice(const Node& node, const Field& field, const std::vector<std::string>& allowed,
                                       const std::vector<std::string>& not_yet) {
  const auto text = read_string(node, field);
  if (!text) return std::nullopt;
  const auto found = std::find(allowed.begin(), allowed.end(), *text);
  if (found != allowed.end()) return static_cast<std::size_t>(found - allowed.begin());
  std::string list;
  for (const auto& name : allowed) list += (list.empty() ? "" : ", ") + name;
  if (std::find(not_yet.begin(), not_yet.end(), *text) != not_yet.end()) {
    field.report.error(diagnostics::kNotYetAvailable, node.position, quote(field.name) + " = " + quote(*text) + " is not yet available",
                       "available: " + list);
    return std::nullopt;
  }
  const auto near = diagnostics::nearest(*text, allowed);
  const bool may_show = !field.secret && node.text == node.written;
  refuse_value(node, field, diagnostics::kBadValue, "must be one of " + list + ", not " + shown(node, field),
               near && may_show ? "did you mean " + quote(*near) + "?" : "");
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_list(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (node.kind != Kind::kArray) {
    wrong_type(node, field, "a list of strings", node.kind == Kind::kString && !field.secret ? "write [\"" + node.written + "\"]" : "");
    return std::nullopt;
  }
  std::vector<std::string> result;
  bool good = true;
  for (const Node& item : node.items) {
    if (item.kind == Kind::kTable || item.kind == Kind::kArray) {
      wrong_type(item, field, "a list of strings", "");
      good = false;
    } else if (auto text = read_string(item, field)) {
      result.push_back(std::move(*text));
    } else {
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return result;
}

std::optional<std::vector<std::pair<std::string, std::string>>> read_map(const Node& node, const Field& field) {
  if (node.broken) return std::nullopt;
  if (!node.is_table()) {
    wrong_type(node, field, "a table", "write " + field.name + " = { key = \"value\" }");
    return std::nullopt;
  }
  std::vector<std::pair<std::string, std::string>> result;
  bool good = true;
  for (const Entry& entry : node.entries) {
    if (entry.value.is_table() || entry.value.kind == Kind::kArray) {
      const Field member{field.name + "." + entry.key, field.report, field.secret};
      wrong_type(entry.value, member, "a string, number or boolean",
                 entry.value.is_table() ? "a key that holds dots needs quotes: \"" + entry.key + ".x\" = ..." : "");
      good = false;
    } else if (entry.value.broken) {
      good = false;
    } else {
      result.emplace_back(entry.key, entry.value.text);
    }
  }
  if (!good) return std::nullopt;
  return result;
}

}  // namespace cdcrt::manifest
