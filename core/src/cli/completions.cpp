#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "cli/command_pages.hpp"

namespace cdcrt::cli {
namespace {

constexpr const char* kOrigin = "# Written by `cdcrt reference`: a change is made in the program.\n";

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

/// As one word of a shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char letter : text) out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return out + "'";
}

std::vector<std::string> names_of(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name());
  return names;
}

std::vector<std::string> names_of(const std::vector<CommandOption>& options) {
  std::vector<std::string> names;
  for (const CommandOption& option : options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

/// Of the whole program: those that take a value.
std::vector<std::string> names_with_value(const Command& program) {
  std::set<std::string> names;
  for (const Command* command : all_commands(program)) {
    for (const CommandOption& option : command->options) {
      if (!option.is_flag()) names.insert(option.names.begin(), option.names.end());
    }
  }
  return {names.begin(), names.end()};
}

// ---- bash ----

std::string bash_value(const CommandOption& option) {
  if (!option.choices.empty()) return "_cdcrt_words " + shell_quoted(joined(option.choices, " "));
  if (option.is_file()) return "_cdcrt_paths -f";
  return option.is_folder() ? "_cdcrt_paths -d" : ":";
}

// ---- zsh ----

std::string zsh_function(const std::string& path) {
  std::string name = "_" + path;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

std::string zsh_escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char letter : text)
    out += special.find(letter) != std::string_view::npos ? std::string("\\") + letter : std::string(1, letter);
  return out;
}

std::string zsh_value(const CommandOption& option) {
  const std::string message = zsh_escaped(option.value, ":\\");
  if (!option.choices.empty()) return ":value:(" + joined(option.choices, " ") + ")";
  if (option.is_file()) return ":" + message + ":_files";
  return ":" + message + ":" + (option.is_folder() ? "_files -/" : " ");
}

std::string zsh_specifications(const Command& command) {
  std::string text;
  for (const CommandOption& option : command.options) {
    for (const std::string& name : option.names) {
      const std::string begin = option.repeats ? "*" : "(" + joined(option.names, " ") + ")";
      const bool is_long = name.starts_with("--");
      text += "    " +
              shell_quoted(begin + name + (option.is_flag() || !is_long ? "" : "=") + "[" + zsh_escaped(option.about, "[]\\:") + "]" +
                           (option.is_flag() ? "" : zsh_value(option))) +
              " \\\n";
    }
  }
  return text;
}

// ---- fish ----

std::string fish_value(const CommandOption& option) {
  if (option.is_flag()) return "";
  if (!option.choices.empty()) return " -xa " + shell_quoted(joined(option.choices, " "));
  if (option.is_file()) return " -rF";
  return option.is_folder() ? " -xa '(__fish_complete_directories)'" : " -x";
}

}  // namespace

std::string bash_completions(const Command& program) {
  std::string script = std::string("# shellcheck shell=bash\n") + kOrigin +
                       R"(_cdcrt_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_cdcrt_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_cdcrt() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=cdcrt word i
  COMPREPLY=()
  # An equals sign is a word of its own.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      )" + joined(names_with_value(program), "|") +
                       R"()
        [[ ${COMP_WORDS[i + 1]} == '=' ]] && ((i++))
        ((i++))
        continue
        ;;
    esac
    case "$command $word" in
)";
  std::vector<std::string> paths;
  for (const Command* command : all_commands(program)) {
    if (command != &program) paths.push_back(shell_quoted(command->path));
  }
  script += "      " + joined(paths, " | ") + ") command=\"$command $word\" ;;\n    esac\n  done\n  case \"$command $previous\" in\n";
  for (const Command* command : all_commands(program)) {
    for (const CommandOption& option : command->options) {
      if (option.is_flag()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(shell_quoted(command->path + " " + name));
      script += "    " + joined(patterns, " | ") + ")\n      " + bash_value(option) + "\n      return\n      ;;\n";
    }
  }
  script += "  esac\n  case $command in\n";
  for (const Command* command : all_commands(program)) {
    script += "    " + shell_quoted(command->path) + ")\n      if [[ $current == -* ]]; then\n        _cdcrt_words " +
              shell_quoted(joined(names_of(command->options), " ")) + "\n      else\n        ";
    if (!command->commands.empty()) {
      script += "_cdcrt_words " + shell_quoted(joined(names_of(command->commands), " "));
    } else if (!command->arguments.empty()) {
      script += bash_value(command->arguments.front());
    } else {
      script += "_cdcrt_words " + shell_quoted(joined(names_of(command->options), " "));
    }
    script += "\n      fi\n      ;;\n";
  }
  return script + "  esac\n}\ncomplete -F _cdcrt cdcrt\n";
}

std::string zsh_completions(const Command& program) {
  std::string script = std::string("#compdef cdcrt\n") + kOrigin;
  for (const Command* command : all_commands(program)) {
    script += "\n" + zsh_function(command->path) + "() {\n";
    if (command->commands.empty()) {
      script += "  _arguments -s -S \\\n" + zsh_specifications(*command);
      for (const CommandOption& argument : command->arguments)
        script += "    " + shell_quoted(std::string(argument.required ? "" : ":") + zsh_value(argument)) + " \\\n";
      script += "    && return 0\n  return 1\n}\n";
      continue;
    }
    script += "  local curcontext=\"$curcontext\" state line\n  _arguments -C -s \\\n" + zsh_specifications(*command) +
              "    '1: :->command' '*::: :->rest' && return 0\n  case $state in\n    command)\n      local -a commands=(\n";
    for (const Command& below : command->commands) {
      script += "        " + shell_quoted(zsh_escaped(below.name(), ":\\") + ":" + zsh_escaped(below.about, "\\")) + "\n";
    }
    script +=
        "      )\n      _describe command commands\n      ;;\n    rest)\n      words=(\"$line[1]\" \"${words[@]}\")\n      (( CURRENT += 1 ))\n      case $line[1] in\n";
    for (const Command& below : command->commands) script += "        " + below.name() + ") " + zsh_function(below.path) + " ;;\n";
    script += "      esac\n      ;;\n  esac\n}\n";
  }
  return script + "\nif [[ $funcstack[1] == _cdcrt ]]; then _cdcrt \"$@\"; else compdef _cdcrt cdcrt; fi\n";
}

std::string fish_completions(const Command& program) {
  std::vector<std::string> known;
  for (const Command* command : all_commands(program)) {
    if (command != &program) known.push_back(shell_quoted(command->path));
  }
  std::string script = std::string(kOrigin) + R"(function __cdcrt_at
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l command cdcrt
    set -l skips 0
    for token in $tokens
        if test $skips = 1
            set skips 0
            continue
        end
        if contains -- $token )" +
                       joined(names_with_value(program), " ") + R"(
            set skips 1
        else if contains -- "$command $token" )" +
                       joined(known, " ") + R"(
            set command "$command $token"
        end
    end
    test "$command" = "$argv"
end

complete -c cdcrt -f
)";
  for (const Command* command : all_commands(program)) {
    const std::string begin = "complete -c cdcrt -n " + shell_quoted("__cdcrt_at " + command->path);
    for (const Command& below : command->commands) script += begin + " -a " + below.name() + " -d " + shell_quoted(below.about) + "\n";
    for (const CommandOption& option : command->options) {
      script += begin;
      for (const std::string& name : option.names) script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      script += fish_value(option) + " -d " + shell_quoted(option.about) + "\n";
    }
    for (const CommandOption& argument : command->arguments) {
      if (argument.is_file()) script += begin + " -F\n";
      if (!argument.choices.empty()) script += begin + " -a " + shell_quoted(joined(argument.choices, " ")) + "\n";
    }
  }
  return script;
}

}  // namespace cdcrt::cli
