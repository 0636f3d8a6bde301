// Output: where generated events and expected rows go.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace cdcrt::bench {

/// A file, or standard output (`-`). Every function throws std::runtime_error where it cannot be written.
class Output {
 public:
  explicit Output(const std::string& path);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();
  void write(std::string_view text);
  void close();

 private:
  std::FILE* file_;
};

}  // namespace cdcrt::bench
