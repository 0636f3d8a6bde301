// A folder of manifests for one test, and plugins that exist as descriptors only.
#pragma once

#include <string>
#include <vector>

#include "manifest/loader.hpp"

namespace cdcrt::test {

/// A fresh folder, removed at the end.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  /// Absolute path of a file with that text, folders made on the way.
  std::string write(const std::string& name, const std::string& text) const;
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// The text without the folder's own path.
  [[nodiscard]] std::string without_folder(std::string text) const;

 private:
  std::string folder_;
};

/// A request whose plugins are: source "log" (brokers, topics, stop, start, limits...), format "json", sink "db".
manifest::LoadRequest request_for(std::vector<std::string> files, std::vector<std::string> sets = {});

/// Loads one manifest of that text.
manifest::Loaded load_text(const std::string& text, std::vector<std::string> sets = {});

/// All diagnostics of one manifest of that text, rendered, file names without folders.
std::string problems_of(const std::string& text, std::vector<std::string> sets = {});

/// "E0203 3:1 message" per line: short form for tables of cases.
std::string codes_of(const std::string& text, std::vector<std::string> sets = {});

/// A sound manifest to which cases add: [pipeline], one source, one sink. 9 lines.
extern const char* const kSound;

/// The value of a component's option.
const plugin::Options::Value& option(const plugin::Component& component, std::string_view key);

}  // namespace cdcrt::test
