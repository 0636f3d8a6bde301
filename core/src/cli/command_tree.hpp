// CommandTree: the commands and options of the program as its parser knows them, for what is written of them: completions, manual,
// reference.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cdcrt::cli {

struct CommandOption {
  std::vector<std::string> names;  ///< with their dashes, the long one first; empty: an argument by its place
  std::string value;  ///< what stands for its value: "FILE", "text|json"; empty: a flag. Of an argument by its place its name, "TABLE"
  std::vector<std::string> choices;  ///< all that it may be; empty: anything
  std::string about;
  bool repeats = false, required = false;

  [[nodiscard]] bool is_flag() const { return !names.empty() && value.empty(); }
  [[nodiscard]] bool is_file() const { return value == "FILE"; }
  [[nodiscard]] bool is_folder() const { return value == "FOLDER"; }
};

struct Command {
  std::string path;  ///< "cdcrt dlq list"
  std::string about;
  std::vector<CommandOption> options;
  std::vector<CommandOption> arguments;  ///< by their places
  std::vector<Command> commands;

  /// The last word of its path.
  [[nodiscard]] std::string name() const { return path.substr(path.rfind(' ') + 1); }
};

/// Without commands that are hidden or that a later version brings.
Command command_tree(const CLI::App& app);

/// The command and all below it, each before those below it.
std::vector<const Command*> all_commands(const Command& command);

/// Declares an option that takes one of a few words: help, completions and refuse_bad_choices() know them from here.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& into, const std::vector<std::string>& choices,
                        const std::string& about);

/// True, and complained about, where an option of a command that was given has none of its choices.
bool refuse_bad_choices(const CLI::App& app);

}  // namespace cdcrt::cli
