#include "inputs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "cdcrt/abi/source.h"
#include "kcat/kcat_line.hpp"
#include "line_reader.hpp"

namespace cdcrt::file_source {
namespace {

constexpr int32_t kPipeNote = CDCRT_NOTE_PARTITION;  // of an input that cannot be known again
constexpr int32_t kFirstFileNote = CDCRT_NOTE_PARTITION - 1;

std::string file_name(const std::string& path) { return path == "-" ? "stdin" : path.substr(path.rfind('/') + 1); }

bool ends_with(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

/// A file may be packed after it was read.
std::string unpacked_name(std::string name) {
  for (const std::string_view packed : {".gz", ".gzip"}) {
    if (ends_with(name, packed)) name.resize(name.size() - packed.size());
  }
  return name;
}

/// "shop.public.orders" of "shop.public.orders.jsonl.gz".
std::string without_ending(const std::string& packed) {
  const std::string name = unpacked_name(packed);
  for (const std::string_view ending : {".jsonl", ".ndjson", ".json", ".txt", ".csv", ".log"}) {
    if (ends_with(name, ending)) return name.substr(0, name.size() - ending.size());
  }
  return name;
}

// FNV-1a: kept in targets, so it must stay what it is.
int32_t note_of_line(std::string_view line) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : line) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return kFirstFileNote - static_cast<int32_t>(hash & 0x3fffffff);
}

std::string read_anew(const std::string& topic) {
  return "cdcrt progress rewind --topic " + topic + " --to earliest, with --empty where rows that are not in it have to go";
}

}  // namespace

Ending ending_of(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos || (line[begin] != '{' && line[begin] != '[' && line[begin] != '"')) return Ending::kWhole;
  size_t depth = 0;
  bool is_text = false;
  for (size_t i = begin; i < line.size(); ++i) {
    const char c = line[i];
    if (is_text) {
      if (c == '\\') ++i;
      if (c == '"') is_text = false;
    } else if (c == '"') {
      is_text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return is_text || depth > 0 ? Ending::kCut : Ending::kWhole;
}

bool is_cut(const Line& line, bool is_packed, const Input& input) {
  return !line.is_ended && !is_packed && input.is_regular && !line.is_too_long() && ending_of(line.text) == Ending::kCut;
}

sdk::Status Inputs::configure(const std::vector<std::string>& paths, const std::string& topic) {
  for (const auto& path : paths) {
    const bool again = std::any_of(all_.begin(), all_.end(), [&](const Input& input) { return input.path == path; });
    if (again) return sdk::Status::bad_config("paths", "a path stands there twice: " + path);
    Input input;
    input.path = path;
    input.name = file_name(path);
    input.topic = topic.empty() ? without_ending(input.name) : topic;
    all_.push_back(std::move(input));
  }
  if (all_.empty()) return sdk::Status::bad_config("paths", "no file is named");
  return {};
}

void Inputs::note(std::string_view topic, int32_t partition, int64_t offset) {
  if (offset <= 0) return;
  const Known told{(offset >> kFileShift) - 1, offset & ((int64_t{1} << kFileShift) - 1)};
  const auto [known, is_new] = known_.try_emplace({std::string(topic), partition}, told);
  if (!is_new && known->second.number != told.number) conflict_ = topic;
  known->second.lines = std::min(known->second.lines, told.lines);
}

Inputs::Note Inputs::note_of(const Input& input) const {
  const std::string name = unpacked_name(input.name);
  return {layout_ == Layout::kValues ? input.topic + "/" + name : name, input.note};
}

sdk::Status Inputs::look_at(Input& input) {
  struct stat status {};
  const bool is_standard = input.path == "-";
  const int failed = is_standard ? ::fstat(STDIN_FILENO, &status) : ::stat(input.path.c_str(), &status);
  if (failed != 0) {
    const int number = errno;
    const bool is_pattern = number == ENOENT && input.path.find_first_of("*?[") != std::string::npos;
    return sdk::Status::error(CDCRT_UNREACHABLE, "cannot read " + input.path + ": " + std::strerror(number),
                              is_pattern ? "no file matches this pattern" : "paths are relative to the manifest's folder");
  }
  if (S_ISDIR(status.st_mode)) {
    return sdk::Status::bad_config("paths", "a directory, not a file: " + input.path,
                                   "name its files, for example paths = \"" + input.path + "/*.jsonl\"");
  }
  if (!is_standard && ::access(input.path.c_str(), R_OK) != 0) {
    return sdk::Status::error(CDCRT_UNREACHABLE, "cannot read " + input.path + ": " + std::strerror(errno));
  }
  // Standard input is never gone back in, not even where it is a file: it may have been read from the middle.
  input.is_regular = !is_standard && S_ISREG(status.st_mode);
  if (!input.is_regular) can_rewind_ = false;
  total_ += static_cast<uint64_t>(status.st_size);
  return {};
}

sdk::Status Inputs::identify(Input& input) {
  if (!input.is_regular) {
    input.note = layout_ == Layout::kValues ? kPipeNote : 0;
    return {};
  }
  LineReader reader(input.path, max_line_);
  auto status = reader.open();
  if (!status.ok()) return status;
  Line line;
  const Reading reading = reader.next({}, line, status);
  if (reading == Reading::kFailed) return {};  // told when it is read
  input.is_pending = reading != Reading::kData || (!line.is_ended && !reader.is_packed() && ending_of(line.text) == Ending::kCut);
  if (input.is_pending) return {};
  input.note = note_of_line(line.text);
  kcat::KcatLine first;
  if (layout_ == Layout::kKcat && !line.is_too_long() && first.locate(line.text)) {
    input.first_topic = first.topic();
    input.first_partition = first.partition();
    input.first_offset = first.offset();
  }
  return {};
}

// Its lines have nothing by which they would be known again: the first of another input would pass for those that were read.
sdk::Status Inputs::check_pipe(const Input& input, int64_t applied) const {
  if (layout_ != Layout::kValues || applied <= base_offset(input)) return {};
  const std::string what = input.path == "-" ? "standard input" : input.path;
  const int64_t lines = applied - base_offset(input);
  return sdk::Status::unsupported(
      what + " was read before" + (lines < int64_t{1} << kFileShift ? ", up to line " + std::to_string(lines) : std::string()) +
          ": plain values that come through a pipe have no position by which they could be known again",
      "write the input into a file and name that file in paths; or, to take it from its first line on: " + read_anew(input.topic));
}

// It may have got another name, and would then be applied twice; or it only begins like one that left.
void Inputs::warn_of_renamed(const Input& input, const sdk::Host& host) const {
  for (const auto& [note, known] : known_) {
    if (note.second != input.note || note.first == note_of(input).first) continue;
    // Under that name there may be another file by now: logs that are rotated.
    if (std::any_of(all_.begin(), all_.end(), [&, was = note](const Input& each) { return note_of(each) == was; })) continue;
    host.warn(
        input.path + " begins with the same line as " + note.first.substr(note.first.find_last_of('/') + 1) +
        ", which was read before and is not in paths any more: it is read as a new file; if it only got another name, its rows are applied twice");
    return;
  }
}

sdk::Status Inputs::number(const std::vector<size_t>& group, const Applied& applied, const sdk::Host& host) {
  const std::string& name = group_of(all_[group.front()]);
  const bool is_values = layout_ == Layout::kValues;
  const int64_t done = is_values ? applied(name, 0) : applied(name, -1);
  int64_t next = 0;
  for (const auto& [note, known] : known_) {
    const bool is_ours =
        is_values ? note.first.size() > name.size() && note.first.compare(0, name.size(), name) == 0 && note.first[name.size()] == '/'
                  : note.first == unpacked_name(name);
    if (is_ours) next = std::max(next, known.number + 1);
  }
  if (is_values && next == 0 && done > 0 && ((done - 1) >> kFileShift) >= static_cast<int64_t>(group.size())) {
    return sdk::Status::fatal(
        "files of topic " + name +
            " that were read are not in paths any more, and an older version, which kept no names of files, read them",
        "put them back for one more run; or read what is there from its beginning: " + read_anew(name));
  }
  std::map<Note, const Input*> met;
  const Input* last_new = nullptr;
  for (const size_t index : group) {
    Input& input = all_[index];
    if (input.note == 0) continue;
    const auto [same, is_first] = met.try_emplace(note_of(input), &input);
    if (!is_first && is_values) {
      return sdk::Status::bad_config("paths",
                                     same->second->path + " and " + input.path +
                                         " have one name and begin with the same line: once one of them leaves, "
                                         "nothing tells which it was",
                                     "give one of them another name, or leave it out");
    }
    const auto known = known_.find(note_of(input));
    input.is_known = is_first && known != known_.end();
    if (!is_first) input.note = 0;
    if (!input.is_known) {
      last_new = last_new == nullptr ? &input : last_new;
      continue;
    }
    input.number = known->second.number;
    input.known_lines = known->second.lines;
    if (is_values && last_new != nullptr) {
      host.warn(last_new->path + " was not read before, though it comes before " + input.path + ", which was: it is read after it");
      last_new = nullptr;
    }
  }
  for (const size_t index : group) {
    Input& input = all_[index];
    if (input.is_known) continue;
    // Each run through a pipe is an input of its own.
    if (!is_values && !input.is_regular && done > 0) next = std::max(next, ((done - 1) >> kFileShift) + 1);
    input.number = next++;
    const auto [first, last] =
        std::pair(known_.lower_bound({note_of(input).first, INT32_MIN}), known_.upper_bound({note_of(input).first, CDCRT_NOTE_PARTITION}));
    if (is_values && input.is_regular && !input.is_pending && first != last) {
      host.warn(input.path + " begins with another line than the file of that name that was read before: it is read as a new file");
    }
    if (is_values && input.note < kPipeNote) warn_of_renamed(input, host);
  }
  for (const size_t index : group) {
    if (all_[index].is_regular) continue;
    if (auto checked = check_pipe(all_[index], done); !checked.ok()) return checked;
  }
  if (is_values) check_left(name, done, host);
  // In the places of the group, by number.
  std::vector<Input> sorted;
  for (const size_t index : group) sorted.push_back(std::move(all_[index]));
  std::stable_sort(sorted.begin(), sorted.end(), [](const Input& left, const Input& right) { return left.number < right.number; });
  for (size_t i = 0; i < group.size(); ++i) all_[group[i]] = std::move(sorted[i]);
  return {};
}

// A file that begins before all that stand in front of it has messages that none of them has: read in this order they would be passed over.
// What is seen at the first lines is told before anything is applied; the rest is told when it is met.
sdk::Status Inputs::check_order(const Applied& applied) const {
  std::map<std::pair<std::string, int32_t>, const Input*> lowest;
  for (const Input& input : all_) {
    if (input.first_offset < 0) continue;
    const auto [before, is_first] = lowest.try_emplace({input.first_topic, input.first_partition}, &input);
    if (is_first || input.first_offset >= before->second->first_offset) continue;
    if (input.first_offset >= applied(input.first_topic, input.first_partition)) {
      return sdk::Status::bad_config("paths",
                                     "the files are not in the order of their offsets: " + input.path + " begins with offset " +
                                         std::to_string(input.first_offset) + " of " + input.first_topic + "[" +
                                         std::to_string(input.first_partition) + "], and is read after " + before->second->path +
                                         ", which begins with " + std::to_string(before->second->first_offset),
                                     "name them in that order in paths");
    }
    before->second = &input;
  }
  return {};
}

// Reading goes on behind a file that is not there: what was not read of it will be passed for ever.
void Inputs::check_left(const std::string& topic, int64_t applied, const sdk::Host& host) const {
  if (applied <= 0) return;
  const int64_t number = (applied - 1) >> kFileShift, lines = applied - (number << kFileShift);
  for (const auto& [note, known] : known_) {
    if (known.number != number || note.second == kPipeNote || note.first.compare(0, topic.size() + 1, topic + "/") != 0) continue;
    if (known.lines > 0 && known.lines <= lines) continue;
    const bool is_there =
        std::any_of(all_.begin(), all_.end(), [&](const Input& input) { return input.is_known && note_of(input) == note; });
    if (is_there) continue;
    host.warn(note.first.substr(topic.size() + 1) + " is not in paths any more, and was read up to line " + std::to_string(lines) +
              " only, as far as is known: files of topic " + topic + " that come after it are read now, and the rest of it is not");
  }
}

sdk::Status Inputs::prepare(const Applied& applied, const sdk::Host& host) {
  if (is_prepared_) return {};
  if (!conflict_.empty()) {
    return sdk::Status::unsupported(
        "the sinks were written apart from each other: they know different places of " + conflict_ + " in the order of what was read",
        "give them pipelines of their own");
  }
  total_ = 0;
  for (Input& input : all_) {
    if (auto status = look_at(input); !status.ok()) return status;
    if (auto status = identify(input); !status.ok()) return status;
  }
  std::vector<std::vector<size_t>> groups;
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < all_.size(); ++i) {
    const auto [place, is_new] = places.try_emplace(group_of(all_[i]), groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(i);
  }
  for (const auto& group : groups) {
    if (auto status = number(group, applied, host); !status.ok()) return status;
  }
  if (layout_ == Layout::kKcat) {
    if (auto status = check_order(applied); !status.ok()) return status;
  }
  is_prepared_ = true;
  return {};
}

void Inputs::each_note(const std::function<bool(std::string_view topic, int32_t partition)>& visit) const {
  std::set<Note> notes;
  for (const Input& input : all_) {
    if (input.note == 0) continue;
    const auto [note, is_new] = notes.insert(note_of(input));
    if (is_new && !visit(note->first, note->second)) return;
  }
}

int64_t Inputs::offset_of_note(std::string_view topic, int32_t partition) const {
  for (const Input& input : all_) {
    if (input.note == partition && note_of(input).first == topic) return (input.number + 1) << kFileShift;
  }
  return 0;
}

bool Inputs::is_followed(size_t index) const {
  for (size_t next = index + 1; next < all_.size(); ++next) {
    if (!all_[next].is_pending && (layout_ == Layout::kKcat || all_[next].topic == all_[index].topic)) return true;
  }
  return false;
}

}  // namespace cdcrt::file_source
