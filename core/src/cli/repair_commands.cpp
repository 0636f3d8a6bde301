#include "cli/repair_commands.hpp"

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>

#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/repair_session.hpp"
#include "cli/text_table.hpp"
#include "diagnostics/text.hpp"
#include "repair/positions.hpp"
#include "repair/table_state.hpp"
#include "runtime/matches.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;
using diagnostics::printable;
using diagnostics::quote;
using repair::Session;

std::string json_position(const progress::PartitionKey& key) {
  return "\"source\":" + json_string(key.source) + ",\"topic\":" + json_string(key.topic) + ",\"partition\":" + std::to_string(key.number);
}

std::string json_waits_for(const progress::WaitsFor& waits_for) {
  std::string text = "{";
  for (const auto& [partition, offset] : waits_for)
    text += (text.size() > 1 ? "," : "") + json_string(std::to_string(partition)) + ":" + std::to_string(offset);
  return text + "}";
}

std::string text_of(const progress::WaitsFor& waits_for) {
  std::string text;
  for (const auto& [partition, offset] : waits_for) {
    text += (text.empty() ? "partition " : ", ") + std::to_string(partition) + " to reach " + std::to_string(offset);
  }
  return text;
}

// Which sources could not be asked, for whoever wonders at a question mark.
void print_problems(Session& session) {
  for (const repair::Log& log : session.logs()) {
    if (log.problem()) std::cout << "lag unknown: sources." << log.name() << ": " << printable(explain(*log.problem())) << "\n";
  }
}

std::string json_problems(Session& session) {
  std::string text = "[";
  for (const repair::Log& log : session.logs()) {
    if (!log.problem()) continue;
    text += (text.size() > 1 ? ",{" : "{") + std::string("\"source\":") + json_string(log.name()) +
            ",\"message\":" + json_string(explain(*log.problem())) + "}";
  }
  return text + "]";
}

void print_partitions(const repair::Positions& positions) {
  TextTable table({"partition", ">next offset", ">log end", ">lag", "owner", ">epoch", "waits for"});
  for (const auto& each : positions.partitions) {
    table.add({each.key.source + " " + each.key.name(), std::to_string(each.kept.next_offset),
               each.bounds ? std::to_string(each.bounds->end) : "?", number_or_unknown(each.lag()), owner_text(each.kept.owner),
               std::to_string(each.kept.epoch), text_of(each.kept.waits_for)});
  }
  table.print(std::cout);
  for (const auto& each : positions.partitions) {
    if (each.deleted() > 0) {
      std::cout << "warning: " << printable(each.key.name()) << ": " << each.deleted()
                << " messages were deleted by retention before they were applied; the pipeline stops there\n";
    }
  }
}

void print_tables(const repair::Positions& positions) {
  TextTable table({"table", "partition", ">next offset", ">lag"});
  for (const auto& each : positions.tables) {
    for (const auto& part : each.parts) {
      table.add({each.name, part.key.source + " " + part.key.name(), std::to_string(part.next_offset), number_or_unknown(part.lag)});
    }
  }
  table.print(std::cout);
}

std::string since_of(const repair::TablePosition& table) {
  const bool by_trouble = table.trouble != nullptr && table.kept->state == progress::TableState::kActive;
  return by_trouble ? std::to_string(table.trouble->since_ms) : "null";
}

// What the next attempt to read a table will find gone.
void print_gaps(const repair::TablePosition& table) {
  for (const auto& part : table.parts) {
    if (part.deleted == 0) continue;
    std::cout
        << "warning: table " << printable(table.name) << ", " << printable(part.key.name()) << ": messages " << part.applied << " to "
        << part.applied + part.deleted - 1
        << " were deleted by retention before they were applied; if some were its own it stays behind, and cdcrt progress rewind --table "
        << printable(table.name) << " --to earliest, with or without --empty, accepts the gap\n";
  }
}

std::string json_of(const repair::Target& target, const repair::Positions& positions) {
  std::string text = "{\"sink\":" + json_string(target.manifest.name) + ",\"partitions\":[";
  for (std::size_t i = 0; i < positions.partitions.size(); ++i) {
    const auto& each = positions.partitions[i];
    text += (i > 0 ? ",{" : "{") + json_position(each.key) + ",\"next_offset\":" + std::to_string(each.kept.next_offset) +
            ",\"log_first\":" + (each.bounds ? std::to_string(each.bounds->first) : "null") +
            ",\"log_end\":" + (each.bounds ? std::to_string(each.bounds->end) : "null") + ",\"lag\":" + json_or_null(each.lag()) +
            ",\"deleted_unread\":" + std::to_string(each.deleted()) + ",\"owner\":" + json_string(each.kept.owner) +
            ",\"epoch\":" + std::to_string(each.kept.epoch) + ",\"waits_for\":" + json_waits_for(each.kept.waits_for) + "}";
  }
  text += "],\"tables\":[";
  for (std::size_t i = 0; i < positions.tables.size(); ++i) {
    const auto& each = positions.tables[i];
    text += (i > 0 ? ",{" : "{") + std::string("\"table\":") + json_string(each.name) +
            ",\"source_table\":" + json_string(each.kept->source_table) + ",\"state\":" + json_string(each.state()) +
            ",\"reason\":" + json_string(each.reason()) + ",\"since_ms\":" + since_of(each) + ",\"key\":" + json_string(each.key()) +
            ",\"lag\":" + json_or_null(each.lag) + ",\"last_message_ms\":" + json_or_null(each.last_message_ms) +
            ",\"open_dead_letters\":" + std::to_string(each.open_dead_letters) + ",\"partitions\":[";
    for (std::size_t k = 0; k < each.parts.size(); ++k) {
      const auto& part = each.parts[k];
      text += (k > 0 ? ",{" : "{") + json_position(part.key) + ",\"next_offset\":" + std::to_string(part.next_offset) +
              ",\"lag\":" + json_or_null(part.lag) + ",\"deleted_unread\":" + std::to_string(part.deleted) + "}";
    }
    text += "]}";
  }
  return text + "]}";
}

// What the manifest names in vain, as the last runs told and as sources that can be asked say.
std::vector<std::string> unmet_of(OpenedPipeline& pipeline) {
  const auto named = runtime::entries_of(pipeline.manifest);
  std::vector<std::string> lines;
  for (const auto& target : pipeline.session.targets()) {
    for (const auto& [entry, match] : target.stored.matches) {
      if (!match.met && std::find(named.begin(), named.end(), entry) != named.end()) lines.push_back(entry + ": " + match.reason);
    }
  }
  for (repair::Log& log : pipeline.session.logs()) {
    for (const auto& [option, text] : log.unmet())
      lines.push_back(runtime::source_entry(log.name(), option, text) + ": nothing of that name is there");
  }
  return lines;
}

std::string json_unmet(OpenedPipeline& pipeline) {
  std::string text = "[";
  for (const auto& line : unmet_of(pipeline)) text += (text.size() > 1 ? "," : "") + json_string(line);
  return text + "]";
}

// One answer for all who print JSON: what is kept, and what could not be asked.
void print_json(OpenedPipeline& pipeline) {
  std::string sinks;
  for (const auto& target : pipeline.session.targets()) {
    sinks += (sinks.empty() ? "" : ",") + json_of(target, repair::positions_of(pipeline.session, target));
  }
  std::cout << "{\"pipeline\":" << json_string(pipeline.manifest.pipeline) << ",\"sinks\":[" << sinks
            << "],\"unmet\":" << json_unmet(pipeline) << ",\"unreachable_sources\":" << json_problems(pipeline.session) << "}\n";
}

bool nothing_kept(const repair::Target& target) { return target.stored.partitions.empty() && target.stored.tables.empty(); }

void print_nothing(const repair::Target& target, const OpenedPipeline& pipeline) {
  std::cout << "sink " << target.manifest.name << ": nothing is kept of pipeline " << quote(pipeline.manifest.pipeline) << " yet\n";
}

/// Shows how far the pipeline is in each sink that keeps progress: as JSON, or as `print` does.
int show_positions(const RepairArguments& arguments, const std::function<void(const repair::Positions&)>& print) {
  int exit_code = kDone;
  const auto pipeline = open_pipeline(arguments, Session::Intent::kLook, exit_code);
  if (!pipeline) return exit_code;
  if (arguments.manifest.json_output) {
    print_json(*pipeline);
    return kDone;
  }
  for (const auto& target : pipeline->session.targets()) {
    if (nothing_kept(target)) {
      print_nothing(target, *pipeline);
      continue;
    }
    std::cout << "sink " << target.manifest.name << "\n\n";
    print(repair::positions_of(pipeline->session, target));
  }
  print_problems(pipeline->session);
  return kDone;
}

}  // namespace

int progress_show(const RepairArguments& arguments) {
  return show_positions(arguments, [](const repair::Positions& positions) {
    print_partitions(positions);
    std::cout << "\n";
    print_tables(positions);
  });
}

int progress_rewind(const RepairArguments& arguments) {
  if (arguments.table.empty() == arguments.topic.empty()) {
    return complain(make_error(CDCRT_BAD_CONFIG, "a rewind needs --table or --topic, one of them",
                               "--table T for one table, --topic TOPIC for every table of a topic"));
  }
  repair::RewindRequest request;
  request.table = arguments.table;
  request.topic = arguments.topic;
  request.source = arguments.source;
  request.empty = arguments.empty;
  if (arguments.partition >= 0) request.partition = arguments.partition;
  auto place = repair::parse_place(arguments.to);
  if (!place) return complain(place.error());
  request.to = *place;
  int exit_code = kDone;
  const auto pipeline = open_pipeline(arguments, Session::Intent::kChange, exit_code);
  if (!pipeline) return exit_code;
  auto targets = request.table.empty() ? repair::targets_with_topic(pipeline->session, request.topic)
                                       : repair::targets_with_table(pipeline->session, request.table);
  if (!targets) return complain(targets.error());
  for (repair::Target* target : *targets) {
    auto rewound = repair::rewind(pipeline->session, *target, request);
    if (!rewound && rewound.error().code == CDCRT_BAD_CONFIG) return complain(rewound.error());
    if (!rewound) return explain_failure(*pipeline, target->manifest, rewound.error(), arguments.manifest.json_output);
    std::cout << "sink " << target->manifest.name << ":\n";
    for (const auto& name : rewound->emptied) std::cout << "  table " << printable(name) << " was emptied\n";
    for (const auto& step : rewound->steps) {
      std::cout << "  table " << printable(step.table) << ", " << printable(step.partition.name()) << ": from offset " << step.from
                << " back to " << (request.to.kind == repair::Place::Kind::kEarliest ? "the beginning of the log" : std::to_string(step.to))
                << "\n";
    }
    if (rewound->steps.empty()) {
      for (const auto& key : rewound->partitions)
        std::cout << "  " << printable(key.name()) << ": no table has rows of it; it is read from the beginning of the log\n";
    }
    for (const auto& name : rewound->activated) std::cout << "  table " << printable(name) << " was skipped and is active again\n";
    for (const auto& note : rewound->notes) std::cout << "  " << printable(note) << "\n";
  }
  if (!arguments.empty)
    std::cout << "rows are read again and overwrite what is there; rows deleted at the source in a part of the log that is gone stay "
                 "(--empty removes them)\n";
  std::cout << "a running process reads again within seconds (one that reads files ends: start it again); else the next start does\n";
  return kDone;
}

int table_list(const RepairArguments& arguments) {
  return show_positions(arguments, [](const repair::Positions& positions) {
    TextTable table({"table", "source table", "state", "key", ">messages behind", ">open dead letters", "reason"});
    for (const auto& each : positions.tables) {
      const bool skipped = each.kept->state == progress::TableState::kSkipped;
      table.add({each.name, each.kept->source_table, std::string(each.state()), each.has_key() ? each.key() : "(none)",
                 skipped ? "-" : number_or_unknown(each.lag), std::to_string(each.open_dead_letters), std::string(each.reason())});
    }
    table.print(std::cout);
    for (const auto& each : positions.tables) print_gaps(each);
  });
}

int table_state(const RepairArguments& arguments, progress::TableState state) {
  int exit_code = kDone;
  const auto pipeline = open_pipeline(arguments, Session::Intent::kChange, exit_code);
  if (!pipeline) return exit_code;
  auto targets = repair::targets_with_table(pipeline->session, arguments.table);
  if (!targets) return complain(targets.error());
  for (repair::Target* target : *targets) {
    auto before = repair::set_state(*target, {arguments.table, state, arguments.reason, arguments.from_now});
    if (!before && before.error().code == CDCRT_BAD_CONFIG) return complain(before.error());
    if (!before) return explain_failure(*pipeline, target->manifest, before.error(), arguments.manifest.json_output);
    std::cout << "sink " << target->manifest.name << ": table " << printable(arguments.table) << " was " << progress::to_text(*before)
              << ", is " << progress::to_text(state) << "\n";
    if (state != progress::TableState::kActive || arguments.from_now) continue;
    const auto positions = repair::positions_of(pipeline->session, *target);
    for (const auto& each : positions.tables) {
      if (each.name == arguments.table) print_gaps(each);
    }
  }
  switch (state) {
    case progress::TableState::kPaused:
      std::cout << "its rows wait in the log (mind the retention); the others go on. cdcrt table resume reads them\n";
      break;
    case progress::TableState::kSkipped:
      std::cout << "its rows are dropped and do not come back by themselves: cdcrt progress rewind --table reads them again, cdcrt table "
                   "resume --from-now gives them up\n";
      break;
    case progress::TableState::kActive:
      std::cout << (arguments.from_now ? "what passed while it was skipped is not in it\n"
                                       : "it reads what it missed, then goes on with the others\n");
      break;
  }
  return kDone;
}

int status(const RepairArguments& arguments) {
  int exit_code = kDone;
  const auto pipeline = open_pipeline(arguments, Session::Intent::kLook, exit_code);
  if (!pipeline) return exit_code;
  if (arguments.manifest.json_output) {
    print_json(*pipeline);
    return kDone;
  }
  std::cout << "pipeline " << diagnostics::printable(pipeline->manifest.pipeline) << "\n";
  for (const auto& target : pipeline->session.targets()) {
    if (nothing_kept(target)) {
      print_nothing(target, *pipeline);
      continue;
    }
    const auto positions = repair::positions_of(pipeline->session, target);
    std::cout << "\nsink " << target.manifest.name << "\n\n";
    TextTable table({"table", "state", ">messages behind", "last message applied", ">open dead letters"});
    std::size_t dead_letters = 0;
    for (const auto& each : positions.tables) {
      dead_letters += each.open_dead_letters;
      const bool skipped = each.kept->state == progress::TableState::kSkipped;
      table.add({each.name, std::string(each.state()), skipped ? "-" : number_or_unknown(each.lag),
                 each.last_message_ms ? time_text(*each.last_message_ms) : "?", std::to_string(each.open_dead_letters)});
    }
    table.print(std::cout);
    std::cout << "\n";
    std::map<std::string, std::size_t> owners;
    for (const auto& each : positions.partitions) ++owners[owner_text(each.kept.owner)];
    TextTable processes({"process that claimed last", ">partitions"});
    for (const auto& [owner, partitions] : owners) processes.add({owner.empty() ? "(none yet)" : owner, std::to_string(partitions)});
    processes.print(std::cout);
    for (const auto& each : positions.partitions) {
      if (each.deleted() > 0)
        std::cout << "warning: " << printable(each.key.name()) << ": " << each.deleted()
                  << " messages were deleted by retention before they were applied; the next start stops there\n";
      if (!each.kept.waits_for.empty()) std::cout << printable(each.key.name()) << " waits for " << text_of(each.kept.waits_for) << "\n";
    }
    for (const auto& each : positions.tables) {
      print_gaps(each);
      if (each.state() == progress::to_text(progress::TableState::kActive)) continue;
      std::cout << "table " << printable(each.name) << " is " << each.state();
      if (each.kept->state == progress::TableState::kActive)
        std::cout << " since " << time_text(each.trouble->since_ms) << " (" << printable(owner_text(each.trouble->process)) << ")";
      if (!each.reason().empty()) std::cout << ": " << printable(each.reason());
      std::cout << "\n";
    }
    if (dead_letters > 0) std::cout << dead_letters << " dead letters are open: cdcrt dlq list\n";
  }
  for (const auto& line : unmet_of(*pipeline)) std::cout << "nothing met: " << diagnostics::printable(line) << "\n";
  print_problems(pipeline->session);
  return kDone;
}

}  // namespace cdcrt::cli
