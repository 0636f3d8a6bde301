#include "repair/dead_letters.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

#include "apply/open_dead_letters.hpp"
#include "dead_letters/target_letters.hpp"
#include "manifest/composition.hpp"
#include "repair/dead_letter_topic.hpp"
#include "repair/positions.hpp"

namespace cdcrt::repair {
namespace {

using dead_letters::StoredDeadLetter;

constexpr std::string_view kEarlierDeadLetter = "earlier_dead_letter";
constexpr std::string_view kFormerReason = "open_letter";  // what programs up to format version 4 of the progress wrote for it

std::string replayed_path(const std::string& path) { return path + ".replayed"; }

Result<void> read_file(const std::string& path, std::vector<StoredDeadLetter>& letters, std::vector<std::string>& warnings) {
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
    auto letter = dead_letters::from_json(line);
    // Half a line, and a whole one glued to it: within a text no quote stands alone, so that this is where a letter begins.
    const std::size_t glued = letter ? std::string::npos : line.rfind("{\"id\":\"");
    if (glued != std::string::npos && glued > 0) {
      letter = dead_letters::from_json(std::string_view(line).substr(glued));
      if (letter)
        warnings.push_back(path + ":" + std::to_string(number) + ": half a dead letter stands before a whole one; that half is left out");
    }
    if (!letter) {
      const std::string place = path + ":" + std::to_string(number) + ": ";
      warnings.push_back(
          place +
          (file.eof()
               ? "the line is cut short: it is being written just now, or a process died while it wrote it; its message is read again"
               : letter.error().message + "; the line is left out"));
      continue;
    }
    letter->replayed = replayed.contains(letter->id);
    letters.push_back(std::move(*letter));
  }
  return {};
}

Result<void> read_all(Session& session, const manifest::Manifest& manifest, std::vector<StoredDeadLetter>& letters,
                      std::vector<std::string>& warnings) {
  const auto& settings = manifest.dead_letters;
  switch (settings.kind) {
    case dead_letters::Settings::Kind::kFile: {
      for (const auto& path : letter_files(manifest)) {
        if (auto read = read_file(path, letters, warnings); !read) return read;
      }
      return {};
    }
    case dead_letters::Settings::Kind::kTable:
      for (Target& target : session.targets()) {
        const dead_letters::TargetLetters kept(*target.store);
        auto there = kept.exist(target.connection);
        if (!there) return std::move(there.error());
        if (!*there) continue;
        auto read = kept.read(target.connection);
        if (!read) return std::move(read.error());
        for (auto& letter : *read) letters.push_back(std::move(letter));
      }
      return {};
    case dead_letters::Settings::Kind::kSink:
      if (settings.log) return read_topic(*settings.log, letters);
      break;
  }
  return make_error(
      CDCRT_UNSUPPORTED, "the dead letters are in a topic of Kafka, and the plugin that reads topics is not there",
      "install the source plugin kafka, or read it with kcat -C -b BROKERS -t TOPIC -J: reason and place are in the headers cdcrt.*");
}

// Whether the table's progress is beyond the letter.
bool has_passed(const Target& target, const StoredDeadLetter& letter) {
  const auto table = target.stored.tables.find(letter.table);
  if (table == target.stored.tables.end()) return false;
  const auto position = table->second.progress.find({letter.source, letter.topic, letter.partition});
  return position != table->second.progress.end() && position->second.next_offset > letter.offset;
}

bool needs_key(const StoredDeadLetter& letter) {
  return letter.reason == "value_refused" || letter.reason == "row_missing" || letter.reason == kEarlierDeadLetter;
}

// What is kept of a table's letters, by position.
struct Kept {
  std::set<progress::OpenDeadLetter> open, open_without_key, replayed;
};

class Judge {
 public:
  Result<void> judge(ListedDeadLetter& listed) {
    const StoredDeadLetter& letter = listed.letter;
    const auto without_rows = [&](LetterState otherwise) { listed.state = letter.replayed ? LetterState::kReplayed : otherwise; };
    if (listed.target == nullptr) {
      without_rows(listed.state);
      return {};
    }
    const auto table = listed.target->stored.tables.find(letter.table);
    if (table == listed.target->stored.tables.end() || !has_passed(*listed.target, letter)) {
      without_rows(LetterState::kAhead);
      return {};
    }
    auto kept = kept_of(*listed.target, table->first, table->second);
    if (!kept) return std::move(kept.error());
    const progress::OpenDeadLetter position{{letter.source, letter.topic, letter.partition}, letter.offset};
    listed.by_key = (*kept)->open.contains(position);
    if (has_key(table->second) && needs_key(letter) && !listed.by_key) listed.state = LetterState::kClosed;
    // Its message may have been read again, and refused again.
    const bool is_open = listed.by_key || (*kept)->open_without_key.contains(position);
    if (!is_open && (letter.replayed || (*kept)->replayed.contains(position))) listed.state = LetterState::kReplayed;
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

std::string_view to_text(LetterState state) {
  switch (state) {
    case LetterState::kOpen: return "open";
    case LetterState::kClosed: return "closed";
    case LetterState::kReplayed: return "replayed";
    case LetterState::kAhead: return "ahead";
  }
  return "";
}

std::vector<std::string> letter_files(const manifest::Manifest& manifest) {
  auto paths = manifest::expand(manifest.dead_letters.pattern, "");
  std::erase_if(paths, [](const std::string& path) { return path.ends_with(".replayed"); });
  return paths;
}

Result<std::vector<ListedDeadLetter>> read_letters(Session& session, const manifest::Manifest& manifest, const LetterFilter& filter,
                                                   std::vector<std::string>& warnings) {
  std::vector<StoredDeadLetter> all;
  if (auto read = read_all(session, manifest, all, warnings); !read) return std::move(read.error());
  Judge judge;
  std::set<std::string> seen;
  std::vector<ListedDeadLetter> letters;
  for (auto& letter : all) {
    if (!filter.table.empty() && letter.table != filter.table) continue;
    if (!filter.id.empty() && letter.id != filter.id) continue;
    if (!seen.insert(letter.id).second) continue;
    if (letter.reason == kFormerReason) letter.reason = kEarlierDeadLetter;
    ListedDeadLetter& listed = letters.emplace_back();
    listed.letter = std::move(letter);
    for (Target& target : session.targets()) {
      if (target.manifest.name == listed.letter.sink) listed.target = &target;
    }
    if (auto judged = judge.judge(listed); !judged) return std::move(judged.error());
  }
  std::stable_sort(letters.begin(), letters.end(), [](const ListedDeadLetter& a, const ListedDeadLetter& b) {
    const auto place = [](const StoredDeadLetter& letter) {
      return std::tie(letter.sink, letter.table, letter.source, letter.topic, letter.partition, letter.offset);
    };
    return place(a.letter) < place(b.letter);
  });
  return letters;
}

}  // namespace cdcrt::repair
