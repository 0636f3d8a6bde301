#include "repair/dead_letters.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

#include "apply/open_dead_letters.hpp"
#include "dead_letters/target_dead_letters.hpp"
#include "manifest/composition.hpp"
#include "repair/dead_letter_topic.hpp"
#include "repair/positions.hpp"

namespace cdcrt::repair {
namespace {

using dead_letters::StoredDeadLetter;

constexpr std::string_view kEarlierDeadLetter = "earlier_dead_letter";
constexpr std::string_view kFormerReason = "open_letter";  // what programs up to format version 4 of the progress wrote for it

std::string replayed_path(const std::string& path) { return path + ".replayed"; }

Result<void> read_file(const std::string& path, std::vector<StoredDeadLetter>& dead_letters, std::vector<std::string>& warnings) {
  std::error_code unknown;
  const auto kind = std::filesystem::status(path, unknown);
  if (std::filesystem::exists(kind) && !std::filesystem::is_regular_file(kind)) {
    // To open a pipe is to wait for whoever writes into it.
    return make_error(CDCRT_UNREACHABLE, "dead letters: '" + path + "' is no file", "name a file in [dead_letters] path");
  }
  // Written up to version 0.1 of the program; now the target notes them.
  std::set<std::string> replayed;
  std::ifstream marks(replayed_path(path));
  for (std::string line; std::getline(marks, line);) replayed.insert(line);
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::error_code trouble;
    if (std::filesystem::exists(path, trouble))
      return make_error(CDCRT_UNREACHABLE, "dead letters: cannot read '" + path + "'", "see that this user may read it");
    return {};
  }
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) continue;
    auto dead_letter = dead_letters::from_json(line);
    // Half a line, and a whole one glued to it: within a text no quote stands alone, so that this is where a dead letter begins.
    const std::size_t glued = dead_letter ? std::string::npos : line.rfind("{\"id\":\"");
    if (glued != std::string::npos && glued > 0) {
      dead_letter = dead_letters::from_json(std::string_view(line).substr(glued));
      if (dead_letter)
        warnings.push_back(path + ":" + std::to_string(number) + ": half a dead letter stands before a whole one; that half is left out");
    }
    if (!dead_letter) {
      const std::string place = path + ":" + std::to_string(number) + ": ";
      warnings.push_back(
          place +
          (file.eof()
               ? "the line is cut short: it is being written just now, or a process died while it wrote it; its message is read again"
               : dead_letter.error().message + "; the line is left out"));
      continue;
    }
    dead_letter->replayed = replayed.contains(dead_letter->id);
    dead_letters.push_back(std::move(*dead_letter));
  }
  return {};
}

Result<void> read_all(Session& session, const manifest::Manifest& manifest, std::vector<StoredDeadLetter>& dead_letters,
                      std::vector<std::string>& warnings) {
  const auto& settings = manifest.dead_letters;
  switch (settings.kind) {
    case dead_letters::Settings::Kind::kFile: {
      for (const auto& path : dead_letter_files(manifest)) {
        if (auto read = read_file(path, dead_letters, warnings); !read) return read;
      }
      return {};
    }
    case dead_letters::Settings::Kind::kTable:
      for (Target& target : session.targets()) {
        const dead_letters::TargetDeadLetters kept(*target.store);
        auto there = kept.exist(target.connection);
        if (!there) return std::move(there.error());
        if (!*there) continue;
        auto read = kept.read(target.connection);
        if (!read) return std::move(read.error());
        for (auto& dead_letter : *read) dead_letters.push_back(std::move(dead_letter));
      }
      return {};
    case dead_letters::Settings::Kind::kSink:
      if (settings.log) return read_topic(*settings.log, dead_letters);
      break;
  }
  return make_error(
      CDCRT_UNSUPPORTED, "the dead letters are in a topic of Kafka, and the plugin that reads topics is not there",
      "install the source plugin kafka, or read it with kcat -C -b BROKERS -t TOPIC -J: reason and place are in the headers cdcrt.*");
}

// Whether the table's progress is beyond the dead letter.
bool has_passed(const Target& target, const StoredDeadLetter& dead_letter) {
  const auto table = target.stored.tables.find(dead_letter.table);
  if (table == target.stored.tables.end()) return false;
  const auto position = table->second.progress.find({dead_letter.source, dead_letter.topic, dead_letter.partition});
  return position != table->second.progress.end() && position->second.next_offset > dead_letter.offset;
}

bool needs_key(const StoredDeadLetter& dead_letter) {
  return dead_letter.reason == "value_refused" || dead_letter.reason == "row_missing" || dead_letter.reason == kEarlierDeadLetter;
}

// What is kept of a table's dead letters, by position.
struct Kept {
  std::set<progress::OpenDeadLetter> open, open_without_key, replayed;
};

class Judge {
 public:
  Result<void> judge(ListedDeadLetter& listed) {
    const StoredDeadLetter& dead_letter = listed.dead_letter;
    const auto without_rows = [&](DeadLetterState otherwise) {
      listed.state = dead_letter.replayed ? DeadLetterState::kReplayed : otherwise;
    };
    if (listed.target == nullptr) {
      without_rows(listed.state);
      return {};
    }
    const auto table = listed.target->stored.tables.find(dead_letter.table);
    if (table == listed.target->stored.tables.end() || !has_passed(*listed.target, dead_letter)) {
      without_rows(DeadLetterState::kAhead);
      return {};
    }
    auto kept = kept_of(*listed.target, table->first, table->second);
    if (!kept) return std::move(kept.error());
    const progress::OpenDeadLetter position{{dead_letter.source, dead_letter.topic, dead_letter.partition}, dead_letter.offset};
    listed.by_key = (*kept)->open.contains(position);
    if (has_key(table->second) && needs_key(dead_letter) && !listed.by_key) listed.state = DeadLetterState::kClosed;
    // Its message may have been read again, and refused again.
    const bool is_open = listed.by_key || (*kept)->open_without_key.contains(position);
    if (!is_open && (dead_letter.replayed || (*kept)->replayed.contains(position))) listed.state = DeadLetterState::kReplayed;
    return {};
  }

 private:
  Result<const Kept*> kept_of(Target& target, const std::string& name, const progress::StoredTable& table) {
    const auto [place, added] = kept_.try_emplace({&target, name});
    if (!added) return &place->second;
    for (const auto& [key, open] : table.open_dead_letters) {
      (key == apply::kNoKey ? place->second.open_without_key : place->second.open).insert(open.begin(), open.end());
    }
    auto replayed = target.store->read_replayed(target.connection, name);
    if (!replayed) return std::move(replayed.error());
    place->second.replayed = std::move(*replayed);
    return &place->second;
  }

  std::map<std::pair<const Target*, std::string>, Kept> kept_;
};

}  // namespace

std::string_view to_text(DeadLetterState state) {
  switch (state) {
    case DeadLetterState::kOpen: return "open";
    case DeadLetterState::kClosed: return "closed";
    case DeadLetterState::kReplayed: return "replayed";
    case DeadLetterState::kAhead: return "ahead";
  }
  return "";
}

std::vector<std::string> dead_letter_files(const manifest::Manifest& manifest) {
  auto paths = manifest::expand(manifest.dead_letters.pattern, "");
  std::erase_if(paths, [](const std::string& path) { return path.ends_with(".replayed"); });
  return paths;
}

Result<std::vector<ListedDeadLetter>> read_dead_letters(Session& session, const manifest::Manifest& manifest,
                                                        const DeadLetterFilter& filter, std::vector<std::string>& warnings) {
  std::vector<StoredDeadLetter> all;
  if (auto read = read_all(session, manifest, all, warnings); !read) return std::move(read.error());
  Judge judge;
  std::set<std::string> seen;
  std::vector<ListedDeadLetter> dead_letters;
  for (auto& dead_letter : all) {
    if (!filter.table.empty() && dead_letter.table != filter.table) continue;
    if (!filter.id.empty() && dead_letter.id != filter.id) continue;
    if (!seen.insert(dead_letter.id).second) continue;
    if (dead_letter.reason == kFormerReason) dead_letter.reason = kEarlierDeadLetter;
    ListedDeadLetter& listed = dead_letters.emplace_back();
    listed.dead_letter = std::move(dead_letter);
    for (Target& target : session.targets()) {
      if (target.manifest.name == listed.dead_letter.sink) listed.target = &target;
    }
    if (auto judged = judge.judge(listed); !judged) return std::move(judged.error());
  }
  std::stable_sort(dead_letters.begin(), dead_letters.end(), [](const ListedDeadLetter& a, const ListedDeadLetter& b) {
    const auto place = [](const StoredDeadLetter& dead_letter) {
      return std::tie(dead_letter.sink, dead_letter.table, dead_letter.source, dead_letter.topic, dead_letter.partition,
                      dead_letter.offset);
    };
    return place(a.dead_letter) < place(b.dead_letter);
  });
  return dead_letters;
}

}  // namespace cdcrt::repair
