#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <iostream>
#include <optional>

#include "cli/command_pages.hpp"
#include "cli/command_tree.hpp"
#include "cli/complaint.hpp"
#include "cli/decode_command.hpp"
#include "cli/doctor_command.hpp"
#include "cli/exit_code.hpp"
#include "cli/import_command.hpp"
#include "cli/manifest_commands.hpp"
#include "cli/plugin_command.hpp"
#include "cli/plugin_scaffold.hpp"
#include "cli/privacy.hpp"
#include "cli/reference_pages.hpp"
#include "cli/repair_parser.hpp"
#include "cli/run_report.hpp"
#include "cli/top_command.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "plugin/call_note.hpp"
#include "plugin/format.hpp"
#include "plugin/registry.hpp"
#include "runtime/pipeline.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::quote;

struct Later {
  const char* parent;  ///< "": top; else "plugin" or "manifest"
  const char* name;
  const char* about;
};
/// Commands that later versions bring: refused by name, so that nobody takes them for typing errors.
constexpr auto kLater = std::to_array<Later>({{"", "plan", "what a start would do"},
                                              {"", "test", "run a manifest against recorded messages"},
                                              {"manifest", "new", "write a new manifest"},
                                              {"manifest", "schema", "print the schema of manifests"},
                                              {"plugin", "conform", "check a plugin against its contract"},
                                              {"plugin", "bench", "measure a plugin"}});

constexpr const char* kAnswers = "how the answer is written";

struct Arguments {
  ManifestArguments manifest;
  std::string output = "text", log_format = "text";
  bool probe = false, json = false, quiet = false, check_plugins = false, core_dumps = false, print_version = false;
  std::string table, topic, source, plugin, reference_page;
  std::vector<std::string> plugin_dirs;
  DecodeArguments decode;
  ScaffoldArguments scaffold;
  ImportArguments import;
  TopArguments top;
};

void add_manifest_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--manifest,-m", arguments.manifest.files, "the manifest; given again: laid over the ones before")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--set", arguments.manifest.sets, "override one key: table.key=value")->type_name("KEY=VALUE")->allow_extra_args(false);
  add_choice(app, "--output", arguments.output, {"text", "json"}, kAnswers);
}

void add_run_options(CLI::App& app, Arguments& arguments) {
  add_manifest_options(app, arguments);
  add_choice(app, "--stop", arguments.manifest.stop, {"end", "never"}, "end: stop at the ends that the sources have at the start");
  add_choice(app, "--log-format", arguments.log_format, {"text", "json"}, "how the log is written");
  app.add_flag("--quiet,-q", arguments.quiet, "no progress line and no summary");
  app.add_flag("--core-dumps", arguments.core_dumps,
               "let a crash leave a core file, and debuggers of the same user attach; both show secrets");
  app.add_flag("--check-plugins", arguments.check_plugins, "look at every value that a format hands over: UTF-8, decimals, JSON; slower");
}

void add_decode_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--plugin", arguments.decode.plugin, "a format's name, or the path of its shared object")->required()->type_name("NAME");
  app.add_option("--option", arguments.decode.options, "one setting of the format: key=value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--options", arguments.decode.option_file, "a file of settings, one key=value per line")->type_name("FILE");
  app.add_option("file", arguments.decode.file, "messages, one per line; - or nothing: standard input")->type_name("FILE");
  add_choice(app, "--layout", arguments.decode.layout, {"values", "kcat"},
             "values: a line is a message's value; kcat: JSON as kcat -C -J prints it");
  app.add_option("--topic", arguments.decode.topic, "the topic of plain values; by default the file's name without its ending");
  app.add_option("--plugin-dir", arguments.decode.plugin_dirs, "search here too")->type_name("FOLDER")->allow_extra_args(false);
  add_choice(app, "--output", arguments.output, {"text", "json"}, kAnswers);
}

void add_top_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--manifest,-m", arguments.manifest.files, "of the pipeline: its `http` and `http_token` are used")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--set", arguments.manifest.sets, "override one key: table.key=value")->type_name("KEY=VALUE")->allow_extra_args(false);
  app.add_option("--url", arguments.top.url, "where the pipeline answers, as its log says, in place of a manifest")->type_name("URL");
  app.add_option("--token-file", arguments.top.token_file, "a file with the token of `http_token`")->type_name("FILE");
  app.add_option("--certificate", arguments.top.certificate,
                 "a file of the certificates to trust; by default the manifest's, else the system's")
      ->type_name("FILE");
  add_choice(app, "--sort", arguments.top.sort, {"lag", "rows", "state", "name"}, "the order of tables");
  app.add_option("--search", arguments.top.search, "only tables with this in their names")->type_name("TEXT");
  app.add_option("--interval", arguments.top.interval, "seconds between two looks; 1 by default")->type_name("SECONDS");
  app.add_flag("--once", arguments.top.once, "print one screen, without colours, and end; so too where the output is no terminal");
}

DescriptionFormat description_format(const std::string& output) {
  if (output == "json") return DescriptionFormat::kJson;
  return output == "markdown" ? DescriptionFormat::kMarkdown : DescriptionFormat::kText;
}

int run(const Arguments& arguments) {
  int exit_code = kDone;
  const auto manifest = load_or_explain(arguments.manifest, exit_code);
  if (!manifest) return exit_code;
  if (arguments.core_dumps) allow_core_dumps(true);
  RunReportOptions options;
  options.json_logs = arguments.log_format == "json";
  options.quiet = arguments.quiet;
  options.json_summary = arguments.output == "json";
  if (arguments.check_plugins) plugin::check_values();
  RunReport report(options, manifest->texts);
  return exit_code_of(runtime::run(*manifest, report, options.json_logs));
}

/// The names that could have been meant by an argument that nothing took.
std::vector<std::string> names_known_to(const CLI::App& app, bool flags) {
  std::vector<std::string> names;
  if (flags) {
    for (const CLI::Option* option : app.get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  } else {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  }
  return names;
}

int complain_about_extras(const CLI::App& app) {
  const CLI::App* last = &app;
  while (!last->get_subcommands().empty()) last = last->get_subcommands().front();
  const auto extras = app.remaining(true);
  const std::string wrong = extras.empty() ? "" : extras.front();
  const bool is_flag = wrong.starts_with("-");
  const std::string command = last == &app ? "cdcrt" : "cdcrt " + last->get_name();
  const auto known = names_known_to(*last, is_flag);
  const std::string plain = wrong.substr(0, wrong.find('='));
  const auto near = diagnostics::nearest(plain, known);
  std::string help = near ? "did you mean " + quote(*near) + "?" : "see " + command + " --help";
  if (!near && wrong.ends_with(".toml")) help = "a manifest is given with --manifest " + wrong;
  return complain(std::string(is_flag ? "unknown option " : "unknown command or argument ") + quote(plain) + " of " + quote(command), help);
}

/// The commands that this file carries out.
struct Commands {
  CLI::App *validate, *doctor, *route, *top;
  CLI::App *plugin, *plugin_list, *plugin_describe, *plugin_new;
  CLI::App *manifest, *manifest_import;
  CLI::App *decode, *version, *reference;
  std::vector<std::pair<CLI::App*, std::string>> later;  ///< of a later version, by their whole names
};

void add_run_commands(CLI::App& app, Arguments& arguments, Commands& commands) {
  add_run_options(*app.add_subcommand("run", "run the pipeline of a manifest (the default)"), arguments);
  commands.validate = app.add_subcommand("validate", "check a manifest and print what it holds");
  add_manifest_options(*commands.validate, arguments);
  commands.validate->add_flag("--probe", arguments.probe, "also connect to everything");
  commands.doctor = app.add_subcommand("doctor", "check what a start needs: drivers, brokers, rights, limits; each with its fix");
  add_manifest_options(*commands.doctor, arguments);
  commands.doctor->add_flag("--json", arguments.json, "the same as --output json");
  commands.route = app.add_subcommand("route", "explain which route a table takes and its name in the target");
  add_manifest_options(*commands.route, arguments);
  commands.route->add_option("table", arguments.table, "database.schema.table, or its last parts")->required();
  commands.route->add_option("--topic", arguments.topic, "the topic it comes from, for {topic}");
  commands.route->add_option("--source", arguments.source, "the source it comes from, when there are several");
  commands.top = app.add_subcommand("top", "watch a running pipeline in the terminal: tables, lag, rates, what waits and why");
  add_top_options(*commands.top, arguments);
}

void add_plugin_commands(CLI::App& app, Arguments& arguments, Commands& commands) {
  commands.plugin = app.add_subcommand("plugin", "list, describe and begin plugins");
  commands.plugin->require_subcommand(0, 1);
  commands.plugin_list = commands.plugin->add_subcommand("list", "every plugin that can be found, and why others are refused");
  commands.plugin_describe = commands.plugin->add_subcommand("describe", "the options of a plugin");
  commands.plugin_describe->add_option("name", arguments.plugin, "a plugin's name, or the path of its shared object")->required();
  for (CLI::App* command : {commands.plugin_list, commands.plugin_describe}) {
    command->add_option("--plugin-dir", arguments.plugin_dirs, "search here too")->type_name("FOLDER")->allow_extra_args(false);
  }
  add_choice(*commands.plugin_list, "--output", arguments.output, {"text", "json"}, kAnswers);
  add_choice(*commands.plugin_describe, "--output", arguments.output, {"text", "json", "markdown"}, kAnswers);
  commands.plugin_new = commands.plugin->add_subcommand("new", "a project of a new plugin that builds and passes its test at once");
  commands.plugin_new->add_option("kind", arguments.scaffold.kind, "format")->required();
  commands.plugin_new->add_option("name", arguments.scaffold.name, "lower-case letters, digits and '-'")->required();
  commands.plugin_new->add_option("--folder", arguments.scaffold.folder, "where it goes; by default KIND-NAME here")->type_name("FOLDER");
}

void add_manifest_commands(CLI::App& app, Arguments& arguments, Commands& commands) {
  commands.manifest = app.add_subcommand("manifest", "manifests made from other things");
  commands.manifest->require_subcommand(0, 1);
  commands.manifest_import =
      commands.manifest->add_subcommand("import", "the manifest that does what a Spark Structured Streaming job kafka-cdc-redshift did");
  commands.manifest_import->add_option("file", arguments.import.file, "the job's .properties file; -: standard input")
      ->required()
      ->type_name("FILE");
  commands.manifest_import->add_option("--output", arguments.import.output, "write it there; by default to standard output")
      ->type_name("FILE");
  commands.manifest_import
      ->add_option("--schema", arguments.import.schema,
                   "schema of the source's tables, where its database has schemas (PostgreSQL); *: all of them")
      ->type_name("NAME");
}

void add_later_commands(CLI::App& app, Commands& commands) {
  for (const Later& command : kLater) {
    const std::string_view above = command.parent;
    CLI::App* parent = above.empty() ? &app : above == "plugin" ? commands.plugin : commands.manifest;
    CLI::App* added = parent->add_subcommand(command.name, std::string(command.about) + " (not yet available)");
    added->prefix_command();
    added->set_help_flag();
    commands.later.emplace_back(added, (*command.parent == '\0' ? "" : std::string(command.parent) + " ") + command.name);
  }
}

int carry_out_plugin_command(const Commands& commands, const Arguments& arguments) {
  if (commands.plugin_new->parsed()) return scaffold(arguments.scaffold, std::cout);
  const auto places = plugin::search_places("", arguments.plugin_dirs);
  if (commands.plugin_list->parsed()) return plugin_list(places, arguments.manifest.json_output, std::cout);
  if (commands.plugin_describe->parsed()) {
    return plugin_describe(arguments.plugin, places, description_format(arguments.output), std::cout);
  }
  return complain("command 'plugin' needs to know what to do", "write plugin list, plugin describe NAME or plugin new format NAME");
}

/// Commands that read no manifest of a pipeline; nullopt: none of them was given.
std::optional<int> carry_out_without_manifest(const CLI::App& app, const Commands& commands, Arguments& arguments) {
  for (const auto& [command, name] : commands.later) {
    if (!command->parsed()) continue;
    return complain(
        "command " + quote(name) + " is not yet available",
        "available: run, validate, doctor, route, top, status, progress, table, dlq, decode, manifest import, plugin list, plugin describe, plugin new, version");
  }
  if (commands.reference->parsed()) {
    if (is_command_page(arguments.reference_page)) {
      print_command_page(arguments.reference_page, command_tree(app), std::cout);
    } else {
      print_reference(arguments.reference_page, std::cout);
    }
    return kDone;
  }
  if (commands.manifest_import->parsed()) return import_manifest(arguments.import, std::cout);
  if (commands.manifest->parsed()) return complain("command 'manifest' needs to know what to do", "write manifest import FILE");
  if (arguments.print_version || commands.version->parsed()) {
    std::cout << "cdcrt " << CDCRT_VERSION << "\n";
    return kDone;
  }
  arguments.manifest.json_output = arguments.json || arguments.output == "json";
  arguments.manifest.json_logs = arguments.log_format == "json";
  if (commands.decode->parsed()) {
    arguments.decode.json = arguments.manifest.json_output;
    return decode(arguments.decode, std::cout);
  }
  if (commands.plugin->parsed()) return carry_out_plugin_command(commands, arguments);
  return std::nullopt;
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments_given) {
  plugin::watch_crashes();
  Arguments arguments;
  CLI::App app("cdcrt carries row changes from logs into tables, exactly once.", "cdcrt");
  app.require_subcommand(0, 1);
  app.fallthrough(false);
  app.set_help_flag("--help,-h", "this text");
  add_run_options(app, arguments);
  app.add_flag("--version", arguments.print_version, "print the version");
  Commands commands{};
  add_run_commands(app, arguments, commands);
  RepairParser repair(app);
  add_plugin_commands(app, arguments, commands);
  add_manifest_commands(app, arguments, commands);
  commands.decode = app.add_subcommand("decode", "messages in, rows out: what a format makes of a file");
  add_decode_options(*commands.decode, arguments);
  commands.version = app.add_subcommand("version", "print the version");
  commands.reference =
      app.add_subcommand("reference", "print a page of docs/reference, of the manual, or completions of a shell")->group("");
  std::vector<std::string> pages = reference_pages();
  pages.insert(pages.end(), command_pages().begin(), command_pages().end());
  add_choice(*commands.reference, "page", arguments.reference_page, pages, "")->required();
  add_later_commands(app, commands);

  try {
    app.parse(std::vector<std::string>(arguments_given.rbegin(), arguments_given.rend()));
  } catch (const CLI::Success& asked) {  // --help
    return app.exit(asked);
  } catch (const CLI::ExtrasError&) {
    return complain_about_extras(app);
  } catch (const CLI::ParseError& error) {
    return complain(error.what(), "see cdcrt --help");
  }

  if (refuse_bad_choices(app)) return kManifestOrUsage;
  if (repair.parsed()) return repair.run();
  if (const auto exit_code = carry_out_without_manifest(app, commands, arguments)) return *exit_code;
  if (commands.top->parsed()) {
    arguments.top.manifest = arguments.manifest;
    return top(arguments.top, std::cout);
  }
  if (arguments.manifest.files.empty()) {
    return complain(arguments_given.empty() ? "nothing to do" : "no manifest given", "cdcrt --manifest FILE.toml; see cdcrt --help");
  }
  if (commands.validate->parsed()) return validate(arguments.manifest, arguments.probe);
  if (commands.doctor->parsed()) return doctor(arguments.manifest, std::cout);
  if (commands.route->parsed()) return explain_route(arguments.manifest, arguments.table, arguments.topic, arguments.source);
  return run(arguments);
}

}  // namespace cdcrt::cli
