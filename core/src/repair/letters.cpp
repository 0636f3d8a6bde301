#include "repair/letters.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>

#include "manifest/composition.hpp"
#include "repair/letter_topic.hpp"

namespace cdcrt::repair {
namespace {

using dead_letters::StoredLetter;

std::string replayed_path(const std::string& path) { return path + ".replayed"; }

Result<void> read_file(const std::string& path, std::vector<StoredLetter>& letters) {
  std::set<std::string> replayed;
  std::ifstream marks(replayed_path(path));
  for (std::string line; std::getline(marks, line);) replayed.insert(line);
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) continue;
    auto letter = dead_letters::from_json(line);
    if (!letter) {
      if (file.eof()) break;  // being written just now
      letter.error().message = "'" + path + "' line " + std::to_string(number) + ": " + letter.error().message;
      return std::move(letter.error());
    }
    letter->replayed = replayed.contains(letter->id);
    letters.push_back(std::move(*letter));
  }
  return {};
}

Result<void> read_all(Session& session, const manifest::Manifest& manifest, std::vector<StoredLetter>& letters) {
  const auto& settings = manifest.dead_letters;
  switch (settings.kind) {
    case manifest::DeadLetters::Kind::kFile: {
      for (const auto& path : letter_files(manifest)) {
        if (auto read = read_file(path, letters); !read) return read;
      }
      return {};
    }
    case manifest::DeadLetters::Kind::kTable:
      for (Target& target : session.targets()) {
        auto there = target.store->has_letters(target.connection);
        if (!there) return std::move(there.error());
        if (!*there) continue;
        auto read = target.store->read_letters(target.connection);
        if (!read) return std::move(read.error());
        for (auto& letter : *read) letters.push_back(std::move(letter));
      }
      return {};
    case manifest::DeadLetters::Kind::kSink:
      if (settings.log) return read_topic(*settings.log, letters);
      break;
  }
  return make_error(CDCRT_UNSUPPORTED, "the dead letters are in a topic of Kafka, and the plugin that reads topics is not there",
                    "install the source plugin kafka, or read it with kcat -C -b BROKERS -t TOPIC -J: reason and origin are in the headers cdcrt.*");
}

// Whether the table's progress is beyond the letter.
bool has_passed(const Target& target, const StoredLetter& letter) {
  const auto table = target.stored.tables.find(letter.table);
  if (table == target.stored.tables.end()) return false;
  const auto position = table->second.progress.find({letter.source, letter.topic, letter.partition});
  return position != table->second.progress.end() && position->second.next_offset > letter.offset;
}

bool needs_key(const StoredLetter& letter) {
  return letter.reason == "value_refused" || letter.reason == "row_missing" || letter.reason == "open_letter";
}

void judge(ListedLetter& listed) {
  const StoredLetter& letter = listed.letter;
  if (letter.replayed) {
    listed.state = LetterState::kReplayed;
    return;
  }
  if (listed.target == nullptr) return;
  const auto table = listed.target->stored.tables.find(letter.table);
  if (table == listed.target->stored.tables.end() || !has_passed(*listed.target, letter)) {
    listed.state = LetterState::kAhead;
    return;
  }
  const progress::OpenLetter position{{letter.source, letter.topic, letter.partition}, letter.offset};
  for (const auto& [key, open] : table->second.open_letters) {
    if (std::find(open.begin(), open.end(), position) != open.end()) listed.by_key = true;
  }
  const bool keyed =
      std::any_of(table->second.columns.begin(), table->second.columns.end(), [](const auto& column) { return column.key_ordinal > 0; });
  if (keyed && needs_key(letter) && !listed.by_key) listed.state = LetterState::kClosed;
}

}  // namespace

std::string_view to_text(LetterState state) {
  switch (state) {
    case LetterState::kOpen:
      return "open";
    case LetterState::kClosed:
      return "closed";
    case LetterState::kReplayed:
      return "replayed";
    case LetterState::kAhead:
      return "ahead";
  }
  return "";
}

std::vector<std::string> letter_files(const manifest::Manifest& manifest) {
  auto paths = manifest::expand(manifest.dead_letters.pattern, "");
  std::erase_if(paths, [](const std::string& path) { return path.ends_with(".replayed"); });
  return paths;
}

Result<void> mark_replayed_in_files(const manifest::Manifest& manifest, const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  for (const auto& path : letter_files(manifest)) {
    std::vector<StoredLetter> own;
    if (auto read = read_file(path, own); !read) return read;
    std::ofstream marks;
    for (const auto& id : ids) {
      if (std::none_of(own.begin(), own.end(), [&](const auto& letter) { return letter.id == id; })) continue;
      if (!marks.is_open()) marks.open(replayed_path(path), std::ios::app);
      marks << id << '\n';
    }
    if (marks.is_open() && !marks.flush()) {
      return make_error(CDCRT_FATAL, "cannot write '" + replayed_path(path) + "'",
                        "the letters were applied: replaying them once more would insert them again; make the folder writable");
    }
  }
  return {};
}

Result<std::vector<ListedLetter>> read_letters(Session& session, const manifest::Manifest& manifest, const LetterFilter& filter) {
  std::vector<StoredLetter> all;
  if (auto read = read_all(session, manifest, all); !read) return std::move(read.error());
  std::set<std::string> seen;
  std::vector<ListedLetter> letters;
  for (auto& letter : all) {
    if (!filter.table.empty() && letter.table != filter.table) continue;
    if (!filter.id.empty() && letter.id != filter.id) continue;
    if (!seen.insert(letter.id).second) continue;
    ListedLetter& listed = letters.emplace_back();
    listed.letter = std::move(letter);
    for (Target& target : session.targets()) {
      if (target.manifest.name == listed.letter.sink) listed.target = &target;
    }
    judge(listed);
  }
  std::stable_sort(letters.begin(), letters.end(), [](const ListedLetter& a, const ListedLetter& b) {
    const auto place = [](const StoredLetter& letter) {
      return std::tie(letter.sink, letter.table, letter.source, letter.topic, letter.partition, letter.offset);
    };
    return place(a.letter) < place(b.letter);
  });
  return letters;
}

}  // namespace cdcrt::repair
