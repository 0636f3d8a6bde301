#include "cli/command_tree.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/complaint.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

constexpr char kBetween = '|';

/// Without the checks of its values, which stand behind it.
std::string type_of(const CLI::Option& option) {
  const std::string text = option.get_type_name();
  return text.substr(0, text.find(':'));
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string text = type_of(option);
  std::vector<std::string> choices;
  if (text.find(kBetween) == std::string::npos) return choices;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(kBetween, begin), text.size());
    choices.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

char in_capitals(char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter; }

CommandOption described(const CLI::Option& option) {
  CommandOption made;
  for (const auto& name : option.get_lnames()) made.names.push_back("--" + name);
  for (const auto& name : option.get_snames()) made.names.push_back("-" + name);
  made.choices = choices_of(option);
  if (made.names.empty()) {
    made.value = made.choices.empty() && type_of(option) != "FILE" ? option.get_name() : type_of(option);
    if (made.choices.empty()) std::transform(made.value.begin(), made.value.end(), made.value.begin(), in_capitals);
  } else if (option.get_items_expected_max() > 0) {
    made.value = type_of(option);
  }
  made.about = option.get_description();
  made.repeats = option.get_items_expected_max() > 1;
  made.required = option.get_required();
  return made;
}

bool is_of_now(const CLI::App* command) {
  return !command->get_group().empty() && command->get_description().find("(not yet available)") == std::string::npos;
}

Command described(const CLI::App& app, const std::string& path) {
  Command command;
  command.path = path;
  command.about = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? command.arguments : command.options).push_back(described(*option));
  }
  for (const CLI::App* below : app.get_subcommands(is_of_now)) {
    command.commands.push_back(described(*below, path + " " + below->get_name()));
  }
  return command;
}

void collect(const Command& command, std::vector<const Command*>& commands) {
  commands.push_back(&command);
  for (const Command& below : command.commands) collect(below, commands);
}

}  // namespace

Command command_tree(const CLI::App& app) { return described(app, app.get_name()); }

std::vector<const Command*> all_commands(const Command& command) {
  std::vector<const Command*> commands;
  collect(command, commands);
  return commands;
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& into, const std::vector<std::string>& choices,
                        const std::string& about) {
  std::string type;
  for (const std::string& choice : choices) type += (type.empty() ? "" : std::string(1, kBetween)) + choice;
  return app.add_option(name, into, about)->type_name(type);
}

bool refuse_bad_choices(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options([](const CLI::Option* given) { return given->count() > 0; })) {
    const auto allowed = choices_of(*option);
    if (allowed.empty()) continue;
    for (const std::string& value : option->results()) {
      if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) continue;
      complain(diagnostics::quote(value) + " is not allowed for " + option->get_name(), diagnostics::did_you_mean(value, allowed));
      return true;
    }
  }
  const auto given = app.get_subcommands();
  return std::any_of(given.begin(), given.end(), [](const CLI::App* command) { return refuse_bad_choices(*command); });
}

}  // namespace cdcrt::cli
