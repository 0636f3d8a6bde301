#include "manifest/tree.hpp"

#include <utility>

#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::manifest {
namespace {

bool holds_components(std::string_view key) { return key == "sources" || key == "sinks" || key == "routes"; }

void add(Node& into, Node included, const std::string& path, Report& report) {
  for (auto& entry : included.entries) {
    Entry* existing = into.find(entry.key);
    if (existing == nullptr) {
      into.entries.push_back(std::move(entry));
      continue;
    }
    const bool merges = existing->value.is_table() && entry.value.is_table() && !holds_components(path);
    if (merges) {
      add(existing->value, std::move(entry.value), path.empty() ? entry.key : path + "." + entry.key, report);
      continue;
    }
    const std::string name = path.empty() ? entry.key : path + "." + entry.key;
    report.error(diagnostics::kDefinedTwice, entry.position, diagnostics::quote(name) + " is already defined",
                 "an included file only adds; to change a value give a second --manifest or --set",
                 {"first defined at " + place(existing->position)});
  }
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Entry* Node::find(std::string_view key) { return const_cast<Entry*>(std::as_const(*this).find(key)); }

std::string_view describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kTable: return "a table";
    case Node::Kind::kArray: return "a list";
    case Node::Kind::kString: return "a string";
    case Node::Kind::kInteger: return "an integer";
    case Node::Kind::kFloat: return "a number with a fraction";
    case Node::Kind::kBoolean: return "a boolean";
    case Node::Kind::kTime: return "a date or time";
  }
  return "a value";
}

void overlay(Node& below, Node above) {
  for (auto& entry : above.entries) {
    Entry* existing = below.find(entry.key);
    if (existing == nullptr) {
      below.entries.push_back(std::move(entry));
    } else if (existing->value.is_table() && entry.value.is_table()) {
      overlay(existing->value, std::move(entry.value));
    } else {
      *existing = std::move(entry);
    }
  }
}

void add_included(Node& into, Node included, Report& report) { add(into, std::move(included), "", report); }

}  // namespace cdcrt::manifest
