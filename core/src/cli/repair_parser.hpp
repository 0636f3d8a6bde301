// The command line of the commands for operators.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "cli/dead_letter_commands.hpp"
#include "cli/repair_commands.hpp"

namespace CLI {
class App;
}

namespace cdcrt::cli {

/// The app, which must outlive it, keeps references to its arguments.
class RepairParser {
 public:
  explicit RepairParser(CLI::App& app);
  RepairParser(const RepairParser&) = delete;
  RepairParser& operator=(const RepairParser&) = delete;
  /// One of the commands was given.
  [[nodiscard]] bool parsed() const;
  /// Runs it; an exit code.
  int run();

 private:
  CLI::App* add(CLI::App& parent, const char* name, const char* about, std::function<int()> body);

  RepairArguments arguments_;
  DeadLetterArguments dead_letters_;
  std::string output_ = "text";
  std::vector<CLI::App*> groups_;
  std::vector<std::pair<CLI::App*, std::function<int()>>> commands_;
};

}  // namespace cdcrt::cli
