#include "manifest/table_reader.hpp"

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::manifest {

namespace {

void cover_unknown(const Node& node, diagnostics::SourceTexts& texts) {
  if (!node.is_table()) texts.mask(node.position);
  for (const Entry& entry : node.entries) cover_unknown(entry.value, texts);
  for (const Node& item : node.items) cover_unknown(item, texts);
}

}  // namespace

using diagnostics::quote;

std::string in_table(const std::string& path) { return path.empty() ? std::string() : " in [" + path + "]"; }

void report_unknown(const Entry& entry, const std::string& path, const std::vector<std::string>& known, Report& report,
                    const std::string& advice) {
  cover_unknown(entry.value, report.texts());  // of a key that is not known nobody knows whether it is a secret
  report.error(diagnostics::kUnknownKey, entry.position, "unknown key " + quote(entry.key) + in_table(path),
               advice.empty() ? diagnostics::did_you_mean(entry.key, known) : advice);
}

const Entry* TableReader::take(std::string_view key) {
  if (taken_.insert(std::string(key)).second) known_.emplace_back(key);
  if (const auto former = by_former_name_.find(key); former != by_former_name_.end()) return former->second;
  return table_.find(key);
}

const Entry* TableReader::renamed(std::string_view former, std::string_view key) {
  // Not among those that a suggestion may name.
  const bool is_first = taken_.insert(std::string(former)).second;
  const Entry* entry = table_.find(former);
  if (entry == nullptr || !is_first) return entry;
  const auto other = by_former_name_.find(key);
  if (const Entry* present = other != by_former_name_.end() ? other->second : table_.find(key)) {
    report_.error(diagnostics::kDefinedTwice, entry->position,
                  quote(former) + in_table(path_) + " is the former name of " + quote(key) + ", which is given as well",
                  "remove " + quote(former), {"the other one is at " + place(present->position)});
    return entry;
  }
  report_.warning(diagnostics::kRenamedKey, entry->position, quote(former) + in_table(path_) + " is called " + quote(key) + " now",
                  "write " + quote(key) + ": the former name is read until the next major version");
  by_former_name_.emplace(key, entry);
  return entry;
}

const Entry* TableReader::take_table(std::string_view key) {
  const Entry* entry = take(key);
  if (entry == nullptr || entry->value.is_table()) return entry;
  if (!entry->value.broken) {
    report_.error(diagnostics::kWrongType, entry->value.position,
                  quote(key) + " must be a table, not " + std::string(describe(entry->value.kind)),
                  "write [" + (path_.empty() ? "" : path_ + ".") + std::string(key) + "] and its keys below");
  }
  return nullptr;
}

void TableReader::not_yet(std::string_view key, const std::string& help) {
  if (!taken_.insert(std::string(key)).second) return;
  const Entry* entry = table_.find(key);
  if (entry == nullptr) return;
  report_.error(diagnostics::kNotYetAvailable, entry->position, quote(key) + in_table(path_) + " is not yet available", help);
}

void TableReader::missing(std::string_view key, const std::string& help) {
  report_.error(diagnostics::kMissingKey, table_.position, "missing key " + quote(key) + in_table(path_), help);
}

void TableReader::belongs_elsewhere(std::string_view key, std::string help) { elsewhere_.emplace_back(key, std::move(help)); }

std::optional<std::string> TableReader::string(std::string_view key) {
  const Entry* entry = take(key);
  return entry == nullptr ? std::nullopt : read_string(entry->value, field(key));
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Entry* entry = take(key);
  return entry == nullptr ? std::nullopt : read_boolean(entry->value, field(key));
}

std::optional<int64_t> TableReader::integer(std::string_view key, int64_t minimum, int64_t maximum) {
  const Entry* entry = take(key);
  const auto value = entry == nullptr ? std::nullopt : read_integer(entry->value, field(key));
  if (value && (*value < minimum || *value > maximum)) {
    refuse_value(entry->value, field(key), diagnostics::kBadValue,
                 "must be between " + std::to_string(minimum) + " and " + std::to_string(maximum));
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> TableReader::duration(std::string_view key) {
  const Entry* entry = take(key);
  return entry == nullptr ? std::nullopt : read_duration(entry->value, field(key));
}

std::optional<int64_t> TableReader::bytes(std::string_view key, int64_t minimum) {
  const Entry* entry = take(key);
  const auto value = entry == nullptr ? std::nullopt : read_bytes(entry->value, field(key));
  if (value && *value < minimum) {
    refuse_value(entry->value, field(key), diagnostics::kBadValue, "must be at least " + std::to_string(minimum) + " bytes");
    return std::nullopt;
  }
  return value;
}

std::optional<std::vector<std::string>> TableReader::list(std::string_view key) {
  const Entry* entry = take(key);
  return entry == nullptr ? std::nullopt : read_list(entry->value, field(key));
}

std::optional<std::size_t> TableReader::choice(std::string_view key, const std::vector<std::string>& allowed,
                                               const std::vector<std::string>& later) {
  const Entry* entry = take(key);
  return entry == nullptr ? std::nullopt : read_choice(entry->value, field(key), allowed, later);
}

void TableReader::finish() {
  for (const Entry& entry : table_.entries) {
    if (taken_.contains(entry.key)) continue;
    std::string advice;
    for (const auto& [key, help] : elsewhere_) {
      if (key == entry.key) advice = help;
    }
    report_unknown(entry, path_, known_, report_, advice);
  }
}

}  // namespace cdcrt::manifest
