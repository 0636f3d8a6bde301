// Options: the command line of a program of this folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace cdcrt::bench {

/// Names and where their values go; what the variables hold before stays where an option is not given. One thread.
class Options {
 public:
  void add(std::string_view name, bool& flag) { known_[name] = &flag; }
  void add(std::string_view name, uint64_t& number) { known_[name] = &number; }
  void add(std::string_view name, std::string& text) { known_[name] = &text; }

  /// Throws std::runtime_error, which names the options there are, where one is unknown, lacks its value or is not a number.
  void parse(int count, char** arguments) const;

 private:
  [[nodiscard]] std::string usage() const;

  std::map<std::string_view, std::variant<bool*, uint64_t*, std::string*>> known_;
};

}  // namespace cdcrt::bench
