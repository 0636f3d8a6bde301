#include "cli/repair_parser.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "cli/command_tree.hpp"
#include "cli/exit_code.hpp"

namespace cdcrt::cli {

CLI::App* RepairParser::add(CLI::App& parent, const char* name, const char* about, std::function<int()> body) {
  CLI::App* command = parent.add_subcommand(name, about);
  command->add_option("--manifest,-m", arguments_.manifest.files, "the manifest; given again: laid over the ones before")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--set", arguments_.manifest.sets, "override one key: table.key=value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--sink", arguments_.sink, "this sink alone; without it all that keep progress")->type_name("NAME");
  commands_.emplace_back(command, std::move(body));
  return command;
}

RepairParser::RepairParser(CLI::App& app) {
  const auto add_output = [this](CLI::App* command) {
    add_choice(*command, "--output", output_, {"text", "json"}, "how the answer is written");
  };
  add_output(add(app, "status", "how far the pipeline is, from its targets and sources, without a running process",
                 [this] { return status(arguments_); }));

  CLI::App* progress = app.add_subcommand("progress", "show or rewind progress");
  groups_.push_back(progress);
  add_output(add(*progress, "show", "where every partition and table stands", [this] { return progress_show(arguments_); }));
  CLI::App* rewind =
      add(*progress, "rewind", "read a table, or all tables of a topic, again", [this] { return progress_rewind(arguments_); });
  rewind->add_option("--table", arguments_.table, "the table, named as in the target");
  rewind->add_option("--topic", arguments_.topic, "every table that has rows of this topic");
  rewind->add_option("--to", arguments_.to, "earliest, a time (2026-01-31T12:00:00Z), or an offset")->required()->type_name("PLACE");
  rewind->add_option("--partition", arguments_.partition, "this partition alone")->type_name("N")->check(CLI::NonNegativeNumber);
  rewind->add_option("--source", arguments_.source, "partitions of this source alone")->type_name("NAME");
  rewind->add_flag("--empty", arguments_.empty, "empty the table in the same transaction; needed where it has no key");

  CLI::App* table = app.add_subcommand("table", "list, pause, resume or skip tables");
  groups_.push_back(table);
  add_output(add(*table, "list", "tables with their state, key and lag", [this] { return table_list(arguments_); }));
  const auto add_state = [&](const char* name, const char* about, progress::TableState state) {
    CLI::App* command = add(*table, name, about, [this, state] { return table_state(arguments_, state); });
    command->add_option("table", arguments_.table, "the table, named as in the target")->required();
    return command;
  };
  for (CLI::App* command : {add_state("pause", "its rows wait in the log; the others go on", progress::TableState::kPaused),
                            add_state("skip", "its rows are dropped", progress::TableState::kSkipped)}) {
    command->add_option("--reason", arguments_.reason, "kept beside the state, for colleagues")->type_name("TEXT");
  }
  add_state("resume", "it goes on", progress::TableState::kActive)
      ->add_flag("--from-now", arguments_.from_now, "after skip: what passed meanwhile is given up");

  CLI::App* dead_letters = app.add_subcommand("dlq", "list, show or replay dead letters");
  groups_.push_back(dead_letters);
  CLI::App* list = add(*dead_letters, "list", "dead letters, and which of them are open",
                       [this] { return list_dead_letters(arguments_, dead_letters_); });
  CLI::App* show = add(*dead_letters, "show", "one of them: reason, position, key, value",
                       [this] { return show_dead_letters(arguments_, dead_letters_); });
  CLI::App* replay =
      add(*dead_letters, "replay", "apply what is open, in order", [this] { return replay_dead_letters(arguments_, dead_letters_); });
  list->add_flag("--all", dead_letters_.all, "also those that are closed or replayed");
  show->add_flag("--raw", dead_letters_.raw, "all of the message, also the description of its columns");
  replay->add_flag("--dry-run", dead_letters_.dry_run, "only say what would happen");
  for (CLI::App* command : {list, show, replay}) {
    command->add_option("--id", dead_letters_.id, "this dead letter alone");
    if (command != replay) add_output(command);
    if (command == show) continue;
    command->add_option("--table", arguments_.table, "dead letters of this table alone, named as in the target");
    command->add_option("--limit", dead_letters_.limit, "no more than that")->type_name("N")->check([](const std::string& text) {
      return std::string(text.starts_with("-") ? "a number of dead letters cannot be negative" : "");
    });
  }
  for (CLI::App* group : groups_) group->require_subcommand(0, 1);
}

bool RepairParser::parsed() const {
  const auto is_parsed = [](const CLI::App* command) { return command->parsed(); };
  return std::any_of(groups_.begin(), groups_.end(), is_parsed) ||
         std::any_of(commands_.begin(), commands_.end(), [&](const auto& each) { return is_parsed(each.first); });
}

int RepairParser::run() {
  const auto chosen = std::find_if(commands_.begin(), commands_.end(), [](const auto& each) { return each.first->parsed(); });
  if (chosen == commands_.end()) {
    const auto group = std::find_if(groups_.begin(), groups_.end(), [](const CLI::App* each) { return each->parsed(); });
    std::cerr << (*group)->help();
    return kManifestOrUsage;
  }
  arguments_.manifest.json_output = output_ == "json";
  if (arguments_.manifest.files.empty()) {
    std::cerr << "error: no manifest given\nhelp: --manifest FILE.toml\n";
    return kManifestOrUsage;
  }
  return chosen->second();
}

}  // namespace cdcrt::cli
