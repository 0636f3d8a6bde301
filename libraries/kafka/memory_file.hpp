// MemoryFile: a text that a library takes only as a file, without one on any disk.
#pragma once

#include <string>

namespace cdcrt::kafka {

/// Read-only, gone with the object. Empty path where the system has none to give.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// For this process alone.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

}  // namespace cdcrt::kafka
