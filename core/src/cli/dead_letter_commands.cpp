#include "cli/dead_letter_commands.hpp"

#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <iostream>
#include <string_view>
#include <utility>

#include "cdcrt/sdk/utf8.hpp"
#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/repair_session.hpp"
#include "cli/text_table.hpp"
#include "diagnostics/text.hpp"
#include "repair/dead_letters.hpp"
#include "repair/table_state.hpp"

namespace cdcrt::cli {
namespace {

using repair::DeadLetterState;
using repair::ListedDeadLetter;

struct Opened {
  std::unique_ptr<OpenedPipeline> pipeline;
  std::vector<ListedDeadLetter> dead_letters;
};

// nullopt: it was explained.
std::optional<Opened> open_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& wanted, repair::Session::Intent intent,
                                        int& exit_code) {
  Opened opened;
  opened.pipeline = open_pipeline(arguments, intent, exit_code);
  if (!opened.pipeline) return std::nullopt;
  if (!arguments.table.empty()) {
    if (auto known = repair::targets_with_table(opened.pipeline->session, arguments.table); !known) {
      exit_code = complain(known.error());
      return std::nullopt;
    }
  }
  std::vector<std::string> warnings;
  auto dead_letters =
      repair::read_dead_letters(opened.pipeline->session, opened.pipeline->manifest, {arguments.table, wanted.id}, warnings);
  for (const auto& warning : warnings) std::cerr << "warning: " << diagnostics::printable(warning) << "\n";
  if (!dead_letters) {
    exit_code = dead_letters.error().code == CDCRT_UNSUPPORTED ? complain(dead_letters.error())
                                                               : explain_failure(*opened.pipeline, opened.pipeline->manifest.sinks.front(),
                                                                                 dead_letters.error(), arguments.manifest.json_output);
    return std::nullopt;
  }
  if (!wanted.id.empty() && dead_letters->empty()) {
    exit_code = complain(
        make_error(CDCRT_BAD_CONFIG, "there is no dead letter " + diagnostics::quote(wanted.id), "cdcrt dlq list --all shows the ids"));
    return std::nullopt;
  }
  opened.dead_letters = std::move(*dead_letters);
  return opened;
}

// Writes what a reader finds, with line breaks; numbers digit for digit.
class Indenter : public rapidjson::PrettyWriter<rapidjson::StringBuffer> {
 public:
  explicit Indenter(rapidjson::StringBuffer& buffer) : PrettyWriter(buffer) { SetIndent(' ', 2); }
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool) { return RawValue(digits, size, rapidjson::kNumberType); }
};

// Leaves out what describes the columns of the message, which is longer than all that people look for.
class SchemaFolder {
 public:
  explicit SchemaFolder(Indenter& out) : out_(out) {}
  bool Null() { return is_folded() || out_.Null(); }
  bool Bool(bool value) { return is_folded() || out_.Bool(value); }
  bool Int(int value) { return is_folded() || out_.Int(value); }
  bool Uint(unsigned value) { return is_folded() || out_.Uint(value); }
  bool Int64(int64_t value) { return is_folded() || out_.Int64(value); }
  bool Uint64(uint64_t value) { return is_folded() || out_.Uint64(value); }
  bool Double(double value) { return is_folded() || out_.Double(value); }
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool copy) { return is_folded() || out_.RawNumber(digits, size, copy); }
  bool String(const char* text, rapidjson::SizeType size, bool copy) { return is_folded() || out_.String(text, size, copy); }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    is_schema_ = depth_ == 1 && std::string_view(text, size) == "schema";
    return is_folded() || out_.Key(text, size, copy);
  }
  bool StartObject() {
    const bool begins = depth_ == 1 && std::exchange(is_schema_, false);
    ++depth_;
    if (begins) folded_at_ = depth_;
    return is_folded() || out_.StartObject();
  }
  bool EndObject(rapidjson::SizeType count) {
    const bool ends = is_folded() && depth_ == folded_at_;
    const bool was_folded = is_folded();
    --depth_;
    if (!ends) return was_folded || out_.EndObject(count);
    folded_at_ = 0;
    static constexpr std::string_view kInstead = "(left out: --raw shows it)";
    return out_.String(kInstead.data(), static_cast<rapidjson::SizeType>(kInstead.size()), true);
  }
  bool StartArray() {
    ++depth_;
    return is_folded() || out_.StartArray();
  }
  bool EndArray(rapidjson::SizeType count) {
    --depth_;
    return is_folded() || out_.EndArray(count);
  }

 private:
  [[nodiscard]] bool is_folded() const { return folded_at_ > 0; }
  Indenter& out_;
  int depth_ = 0, folded_at_ = 0;
  bool is_schema_ = false;
};

// JSON indented, other text as it is, bytes by their number.
std::string pretty(const std::optional<std::string>& bytes, bool folds_schema) {
  if (!bytes) return "null";
  if (!sdk::is_utf8(*bytes)) return "(" + std::to_string(bytes->size()) + " bytes that are no text) " + diagnostics::printable(*bytes);
  rapidjson::MemoryStream stream(bytes->data(), bytes->size());
  rapidjson::StringBuffer buffer;
  Indenter indenter(buffer);
  SchemaFolder folder(indenter);
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  const bool folds = folds_schema && bytes->find("\"payload\"") != std::string::npos;
  if (folds ? !reader.Parse<kFlags>(stream, folder) : !reader.Parse<kFlags>(stream, indenter)) return diagnostics::printable(*bytes);
  // Its lines are ours, what stands in them is not: JSON leaves some control characters as they are.
  std::string text;
  std::string_view rest(buffer.GetString(), buffer.GetSize());
  while (true) {
    const std::size_t end = rest.find('\n');
    text += diagnostics::printable(rest.substr(0, end));
    if (end == std::string_view::npos) return text;
    text += '\n';
    rest.remove_prefix(end + 1);
  }
}

std::string json_of(const ListedDeadLetter& listed) {
  std::string line = dead_letters::to_json(listed.dead_letter);
  line.resize(line.size() - 2);  // "}\n"
  return line + ",\"state\":" + diagnostics::json_string(repair::to_text(listed.state)) + "}";
}

}  // namespace

int list_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& wanted) {
  int exit_code = kDone;
  const auto opened = open_dead_letters(arguments, wanted, repair::Session::Intent::kLook, exit_code);
  if (!opened) return exit_code;
  TextTable table({"id", "state", "reason", "message"});
  std::map<DeadLetterState, std::size_t> counts;
  std::size_t shown = 0;
  for (const auto& listed : opened->dead_letters) {
    ++counts[listed.state];
    const bool is_done = listed.state == DeadLetterState::kClosed || listed.state == DeadLetterState::kReplayed;
    if ((is_done && !wanted.all) || (wanted.limit > 0 && shown >= wanted.limit)) continue;
    ++shown;
    if (arguments.manifest.json_output) {
      std::cout << json_of(listed) << "\n";
    } else {
      const std::string& message = listed.dead_letter.message;
      table.add({listed.dead_letter.id, std::string(repair::to_text(listed.state)), listed.dead_letter.reason,
                 message.size() > 100 ? message.substr(0, 97) + "..." : message});
    }
  }
  if (arguments.manifest.json_output) return kDone;
  if (!table.empty()) table.print(std::cout);
  std::cout << opened->dead_letters.size() << " dead letters: " << counts[DeadLetterState::kOpen] << " open, "
            << counts[DeadLetterState::kClosed] << " closed by later changes, " << counts[DeadLetterState::kReplayed] << " replayed, "
            << counts[DeadLetterState::kAhead] << " ahead of their table (read again by itself)\n";
  if (counts[DeadLetterState::kOpen] > 0) std::cout << "cdcrt dlq show --id ID prints one, cdcrt dlq replay applies what is open\n";
  return kDone;
}

int show_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& wanted) {
  if (wanted.id.empty())
    return complain(make_error(CDCRT_BAD_CONFIG, "which dead letter?", "cdcrt dlq show --id ID; cdcrt dlq list shows the ids"));
  int exit_code = kDone;
  const auto opened = open_dead_letters(arguments, wanted, repair::Session::Intent::kLook, exit_code);
  if (!opened) return exit_code;
  const ListedDeadLetter& listed = opened->dead_letters.front();
  const auto& dead_letter = listed.dead_letter;
  if (arguments.manifest.json_output) {
    std::cout << json_of(listed) << "\n";
    return kDone;
  }
  std::cout << "id        " << diagnostics::printable(dead_letter.id) << "\nstate     " << repair::to_text(listed.state) << "\nreason    "
            << diagnostics::printable(dead_letter.reason) << "\n          " << diagnostics::printable(dead_letter.message)
            << "\nposition  source " << diagnostics::printable(dead_letter.source) << ", " << diagnostics::printable(dead_letter.topic)
            << "[" << dead_letter.partition << "] offset " << dead_letter.offset << "\n";
  if (dead_letter.timestamp_ms >= 0) std::cout << "time      " << time_text(dead_letter.timestamp_ms) << "\n";
  std::cout << "table     "
            << (dead_letter.table.empty() ? "(none)" : diagnostics::printable(dead_letter.table + " in sink " + dead_letter.sink)) << "\n";
  if (!dead_letter.has_raw) {
    std::cout << "row       " << diagnostics::printable(dead_letter.decoded_row) << "\n          (the message could not be read again)\n";
    return kDone;
  }
  for (const auto& [name, value] : dead_letter.headers)
    std::cout << "header    " << diagnostics::printable(name) << ": " << diagnostics::printable(value.value_or("null")) << "\n";
  std::cout << "key\n" << pretty(dead_letter.key, !wanted.raw) << "\nvalue\n" << pretty(dead_letter.value, !wanted.raw) << "\n";
  return kDone;
}

int replay_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& wanted) {
  int exit_code = kDone;
  auto opened = open_dead_letters(arguments, wanted, repair::Session::Intent::kChange, exit_code);
  if (!opened) return exit_code;
  auto& dead_letters = opened->dead_letters;
  std::erase_if(dead_letters, [](const ListedDeadLetter& listed) { return listed.state != DeadLetterState::kOpen; });
  if (wanted.limit > 0 && dead_letters.size() > wanted.limit) dead_letters.resize(wanted.limit);
  if (dead_letters.empty()) {
    std::cout << "no dead letter is open: nothing to replay\n";
    return kDone;
  }
  auto replayed = repair::replay_dead_letters(opened->pipeline->session, opened->pipeline->manifest, dead_letters, wanted.dry_run);
  if (!replayed)
    return explain_failure(
        *opened->pipeline,
        dead_letters.front().target != nullptr ? dead_letters.front().target->manifest : opened->pipeline->manifest.sinks.front(),
        replayed.error(), arguments.manifest.json_output);
  std::size_t applied = 0;
  for (const auto& result : *replayed) {
    applied += result.applied ? 1 : 0;
    if (!result.applied)
      std::cout << "stays open: " << diagnostics::printable(result.id) << ": " << diagnostics::printable(result.reason) << "\n";
  }
  std::cout << applied << " of " << replayed->size()
            << (wanted.dry_run ? " would be applied (--dry-run: nothing was changed)\n" : " applied\n");
  return applied == replayed->size() ? kDone : kDoneWithDeadLetters;
}

}  // namespace cdcrt::cli
