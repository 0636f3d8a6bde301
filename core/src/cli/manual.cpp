#include <string>
#include <string_view>
#include <utility>

#include "cli/command_pages.hpp"
#include "cli/exit_code.hpp"
#include "manifest/host_options.hpp"

namespace cdcrt::cli {
namespace {

/// Text of one line as roff takes it: what would be an escape is none.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) out += letter == '\\' ? "\\e" : letter == '-' ? "\\-" : letter == '\n' ? " " : std::string(1, letter);
  return out;
}

/// What would be a request at the beginning of a line is none.
std::string guarded(std::string text) { return text.starts_with('.') || text.starts_with('\'') ? "\\&" + text : text; }

std::string roff(std::string_view text) { return guarded(escaped(text)); }

/// Markdown of one paragraph: `code` becomes bold, of [links](to) the text stays.
std::string roff_of_markdown(std::string_view text) {
  std::string out;
  bool bold = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t middle = text[i] == '[' ? text.find("](", i) : std::string_view::npos;
    const std::size_t end = middle == std::string_view::npos ? middle : text.find(')', middle);
    if (!bold && end != std::string_view::npos && text.find(']', i) == middle) {
      out += roff_of_markdown(text.substr(i + 1, middle - i - 1));
      i = end;
    } else if (text[i] == '`') {
      out += bold ? "\\fR" : "\\fB";
      bold = !bold;
    } else {
      out += escaped(text.substr(i, 1));
    }
  }
  return guarded(std::move(out));
}

std::string header(const std::string& name, const std::string& section) {
  return ".\\\" Written by cdcrt reference: a change is made in the program.\n.TH " + name + " " + section +
         " \"\" \"cdcrt " CDCRT_VERSION "\"\n";
}

std::string entry(const CommandOption& option) {
  std::string names;
  for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + ("\\fB" + roff(name) + "\\fR");
  if (!option.value.empty()) names += (names.empty() ? "" : " ") + ("\\fI" + roff(option.value) + "\\fR");
  return ".TP\n" + names + "\n" + roff_of_markdown(option.about) + (option.repeats ? "; may be repeated" : "") + "\n";
}

}  // namespace

std::string manual_of_program(const Command& program) {
  std::string page = header("CDCRT", "1") + ".SH NAME\ncdcrt \\- row changes from logs into tables, exactly once\n.SH SYNOPSIS\n";
  for (const Command* command : all_commands(program)) {
    if (!command->commands.empty() && command != &program) continue;
    page += ".br\n\\fB" + roff(command->path) + "\\fR [\\fIOPTIONS\\fR]";
    for (const auto& argument : command->arguments) {
      page += argument.required ? " \\fI" + roff(argument.value) + "\\fR" : " [\\fI" + roff(argument.value) + "\\fR]";
    }
    page += "\n";
  }
  page += ".SH DESCRIPTION\n" + roff(program.about) +
          " A manifest says from where, in which format and where to: \\fBcdcrt\\-manifest\\fR(5). Without a command it is \\fBrun\\fR.\n";
  page += ".SH COMMANDS\n";
  for (const Command* command : all_commands(program)) {
    if (!command->commands.empty()) continue;
    page += ".SS " + roff(command->path) + "\n" + roff_of_markdown(command->about) + "\n";
    for (const auto* options : {&command->arguments, &command->options}) {
      for (const auto& option : *options) page += entry(option);
    }
  }
  page += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitMeanings) page += ".TP\n" + std::to_string(code) + "\n" + roff_of_markdown(meaning) + "\n";
  page +=
      ".SH ENVIRONMENT\n.TP\n\\fBCDCRT_PLUGIN_PATH\\fR\nFolders in which plugins are looked for, separated by colons.\n"
      ".TP\n\\fBNOTIFY_SOCKET\\fR, \\fBWATCHDOG_USEC\\fR\nHow a service manager is told that the process is ready, alive or stopping.\n"
      ".SH FILES\n.TP\n\\fI/etc/cdcrt/NAME.toml\\fR\nThe manifest of the service \\fBcdcrt@NAME.service\\fR.\n"
      ".TP\n\\fI/var/lib/cdcrt/NAME\\fR\nWhat it keeps beside the target: dead letters that go into files."
      "\n"
      ".SH SEE ALSO\n\\fBcdcrt\\-manifest\\fR(5), \\fBsystemd.service\\fR(5)\n";
  return page;
}

std::string manual_of_manifest() {
  std::string page =
      header("CDCRT\\-MANIFEST", "5") +
      ".SH NAME\ncdcrt\\-manifest \\- what cdcrt carries from where to where\n.SH DESCRIPTION\n"
      "A manifest is a file of TOML. These are the keys that cdcrt itself obeys; those of a plugin are printed by \\fBcdcrt plugin "
      "describe\\fR \\fINAME\\fR. A key that is not known is an error.\n";
  for (const auto& table : manifest::host_tables()) {
    page += ".SH [" + roff(table.name) + "]\n" + roff_of_markdown(table.about) + "\n";
    for (const cdcrt_option& option : table.options) {
      page += ".TP\n\\fB" + roff(option.key) + "\\fR";
      if ((option.flags & CDCRT_OPTION_REQUIRED) != 0) page += " (required)";
      if (option.default_value != nullptr && *option.default_value != '\0') page += " (default: " + roff(option.default_value) + ")";
      page += "\n" + roff_of_markdown(option.doc == nullptr ? "" : option.doc) + "\n";
    }
  }
  return page + ".SH SEE ALSO\n\\fBcdcrt\\fR(1)\n";
}

}  // namespace cdcrt::cli
