// What is written of the command line from its one declaration: the manual, a page of docs/reference, completions of shells.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/command_tree.hpp"

namespace cdcrt::cli {

/// "command-line", "man", "man-manifest", "bash", "zsh", "fish".
const std::vector<std::string>& command_pages();
bool is_command_page(const std::string& page);

/// `page`: one of command_pages().
void print_command_page(const std::string& page, const Command& program, std::ostream& out);

/// Scripts that complete commands, options, choices and files, as these shells read them.
std::string bash_completions(const Command& program);
std::string zsh_completions(const Command& program);
std::string fish_completions(const Command& program);

/// Sources of man(1): the program, and the keys of a manifest that the host itself obeys.
std::string manual_of_program(const Command& program);
std::string manual_of_manifest();

}  // namespace cdcrt::cli
