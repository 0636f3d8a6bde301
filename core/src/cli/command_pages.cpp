#include "cli/command_pages.hpp"

#include <algorithm>
#include <ostream>

#include "cli/exit_code.hpp"

namespace cdcrt::cli {
namespace {

std::string in_cell(const std::string& text) {
  std::string cell;
  for (const char letter : text) cell += letter == '|' ? std::string("\\|") : std::string(1, letter);
  return cell;
}

std::string as_written(const CommandOption& option) {
  std::string text;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + name;
  if (!option.value.empty()) text += (text.empty() ? "" : " ") + option.value;
  return "`" + text + "`";
}

std::string page_of_commands(const Command& program) {
  std::string page =
      "# Command line\n\n" + program.about +
      " Written by `cdcrt reference command-line`; `man cdcrt` says the same, and completions of bash, zsh and fish know it.\n";
  for (const Command* command : all_commands(program)) {
    if (!command->commands.empty() && command != &program) continue;
    page += "\n## " + command->path;
    for (const auto& argument : command->arguments) page += argument.required ? " " + argument.value : " [" + argument.value + "]";
    page += "\n\n" + (command == &program ? std::string("Without a command: `run`.") : command->about) + "\n\n| | |\n|---|---|\n";
    for (const auto* options : {&command->arguments, &command->options}) {
      for (const auto& option : *options) {
        page += "| " + in_cell(as_written(option)) + " | " + in_cell(option.about) + (option.repeats ? "; may be repeated" : "") + " |\n";
      }
    }
  }
  page += "\n## Exit codes\n\n| | |\n|---|---|\n";
  for (const auto& [code, meaning] : kExitMeanings) page += "| " + std::to_string(code) + " | " + meaning + " |\n";
  return page;
}

}  // namespace

const std::vector<std::string>& command_pages() {
  static const std::vector<std::string> pages{"command-line", "man", "man-manifest", "bash", "zsh", "fish"};
  return pages;
}

bool is_command_page(const std::string& page) {
  return std::find(command_pages().begin(), command_pages().end(), page) != command_pages().end();
}

void print_command_page(const std::string& page, const Command& program, std::ostream& out) {
  if (page == "command-line") out << page_of_commands(program);
  if (page == "man") out << manual_of_program(program);
  if (page == "man-manifest") out << manual_of_manifest();
  if (page == "bash") out << bash_completions(program);
  if (page == "zsh") out << zsh_completions(program);
  if (page == "fish") out << fish_completions(program);
}

}  // namespace cdcrt::cli
