#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "opened_source.hpp"

using namespace file_source_test;

namespace {

using Places = std::vector<std::string>;

Places sorted(Places places) {
  std::sort(places.begin(), places.end());
  return places;
}

/// What this process has read of files so far.
uint64_t bytes_read() {
  std::ifstream counts("/proc/self/io");
  std::string name;
  uint64_t bytes = 0;
  counts >> name >> bytes;
  REQUIRE(name == "rchar:");
  return bytes;
}

/// Replaces standard input for as long as it lives.
class StandardInput {
 public:
  explicit StandardInput(int descriptor) : saved_(::dup(STDIN_FILENO)) { ::dup2(descriptor, STDIN_FILENO); }
  ~StandardInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  int saved_;
};

}  // namespace

TEST_CASE("files: read in the order given, partitions keep theirs") {
  const Folder folder;
  const auto one = folder.write("1.jsonl", line("a", 0, 0) + line("b", 0, 5) + line("a", 1, 0));
  const auto two = folder.write("2.jsonl", line("a", 0, 1) + line("b", 0, 6));
  OpenedSource source(reading({one, two}));
  const auto messages = source.all();
  CHECK(sorted(places(messages)) == Places{"a/0/0", "a/0/1", "a/1/0", "b/0/5", "b/0/6"});
  CHECK(source.batches == 3);
  CHECK(source.extent().done == source.extent().total);
  CHECK(source.extent().total == std::filesystem::file_size(one) + std::filesystem::file_size(two));
}

TEST_CASE("files: what is missing or a directory is refused with advice") {
  const Folder folder;
  OpenedSource missing(reading({folder.path() + "/none.jsonl"}));
  CHECK(missing.start() == CDCRT_UNREACHABLE);
  CHECK(missing.failure.message.find("none.jsonl") != std::string::npos);
  OpenedSource pattern(reading({folder.path() + "/*.jsonl"}));
  CHECK(pattern.start() == CDCRT_UNREACHABLE);
  CHECK(pattern.failure.hint.find("pattern") != std::string::npos);
  OpenedSource directory(reading({folder.path()}));
  CHECK(directory.start() == CDCRT_BAD_CONFIG);
  CHECK(directory.failure.config_key == "paths");
  CHECK(directory.failure.hint.find("/*.jsonl") != std::string::npos);
}

TEST_CASE("settings: what contradicts itself is refused with the option's name") {
  Settings settings = reading({"a"});
  settings.topic = "x";
  CHECK(OpenedSource(settings).failure.config_key == "topic");
  settings = reading({"a"});
  settings.topics = {"re:("};
  CHECK(OpenedSource(settings).failure.config_key == "topics");
  CHECK(OpenedSource(reading({"-", "-"})).failure.config_key == "paths");
  CHECK(OpenedSource(reading({})).failure.config_key == "paths");
}

TEST_CASE("topics: what was left out is counted, what met nothing is told") {
  const Folder folder;
  Settings settings;
  settings.paths = {folder.write("shop.orders", "1\n2\n"), folder.write("other", "1\n2\n3\n")};
  settings.layout = "values";
  settings.topics = {"shop.*", "shop.ordrs", "re:audit[0-9]+"};
  OpenedSource source(settings);
  CHECK(source.all().size() == 2);
  const auto [left_out, unmet] = source.survey();
  CHECK(left_out == 3);
  CHECK(unmet == std::vector<std::string>{"shop.ordrs", "re:audit[0-9]+"});
}

TEST_CASE("topics: globs cross dots, expressions match whole names, unreadable lines are never filtered") {
  const Folder folder;
  const auto path = folder.write("e", line("pg.public.a", 0, 0) + line("pg.public.ab", 0, 0) + line("other", 0, 0) + line("audit12", 0, 0) +
                                          line("xaudit1", 0, 0) + "noise\n");
  const auto read = [&](std::vector<std::string> topics) {
    Settings settings = reading({path});
    settings.topics = std::move(topics);
    OpenedSource source(settings);
    return sorted(places(source.all()));
  };
  CHECK(read({"pg.*"}) == Places{"e/-1/6", "pg.public.a/0/0", "pg.public.ab/0/0"});
  CHECK(read({"*.a", "re:audit[0-9]+"}) == Places{"audit12/0/0", "e/-1/6", "pg.public.a/0/0"});
  CHECK(read({"pg?public.a"}) == Places{"e/-1/6", "pg.public.a/0/0"});
  CHECK(read({}).size() == 6);
}

TEST_CASE("batches: bounded by messages and by bytes") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += line("t", 0, i, "\"" + std::string(1000, 'x') + "\"");
  Settings settings = reading({folder.write("e", text)});
  settings.batch_messages = 7;
  OpenedSource few(settings);
  CHECK(few.all().size() == 100);
  CHECK(few.batches == 15);
  settings.batch_messages = 1000;
  settings.batch_bytes = 10'000;
  OpenedSource small(settings);
  CHECK(small.all().size() == 100);
  CHECK(small.batches == 10);
}

TEST_CASE("batches: many partitions at once stay within bounded memory") {
  const Folder folder;
  std::string text;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2000; ++i) text += line("topic" + std::to_string(i), i % 3, round, "\"" + std::string(500, 'x') + "\"");
  }
  OpenedSource source(reading({folder.write("e", text)}));
  CHECK(source.all().size() == 6000);
  CHECK(source.batches > 2000);  // more than one a partition: none waited for the end
}

TEST_CASE("seek before start: what is below the position is left out") {
  const Folder folder;
  OpenedSource source(reading({folder.write("e", line("a", 0, 0) + line("a", 0, 1) + line("b", 0, 0) + line("a", 0, 2))}));
  CHECK(source.seek("a", 0, 2, 3) == CDCRT_OK);
  const auto messages = source.all();
  CHECK(sorted(places(messages)) == Places{"a/0/2", "b/0/0"});
  for (const auto& message : messages) CHECK(message.generation == (message.topic == "a" ? 3 : 0));
  CHECK(source.logged.empty());
}

TEST_CASE("seek back: the pass starts again and gives only what each partition lacks") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 10; ++i) text += line("a", 0, i) + line("b", 0, i);
  Settings settings = reading({folder.write("e", text)});
  settings.batch_messages = 4;
  OpenedSource source(settings);
  REQUIRE(source.start() == CDCRT_OK);
  std::vector<Message> first;
  REQUIRE(source.poll(first) == CDCRT_OK);
  CHECK(places(first) == Places{"a/0/0", "a/0/1", "a/0/2", "a/0/3"});
  CHECK(source.seek("a", 0, 2, 1) == CDCRT_OK);
  const auto messages = source.rest();
  CHECK(source.failure.code == CDCRT_END);
  Places expected;
  for (int i = 2; i < 10; ++i) expected.push_back("a/0/" + std::to_string(i));
  for (int i = 0; i < 10; ++i) expected.push_back("b/0/" + std::to_string(i));
  CHECK(sorted(places(messages)) == expected);
  for (const auto& message : messages) CHECK(message.generation == (message.topic == "a" ? 1 : 0));

  CHECK(source.seek("b", 0, 9, 2) == CDCRT_OK);
  CHECK(places(source.rest()) == Places{"b/0/9"});
  CHECK(source.failure.code == CDCRT_END);
  CHECK(source.seek("b", 0, 10, 3) == CDCRT_OK);
  CHECK(source.rest().empty());
  CHECK(source.logged.empty());
}

TEST_CASE("seek forward: what lies between is left out, collected or not") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 10; ++i) text += line("a", 0, i) + line("b", 0, i);
  Settings settings = reading({folder.write("e", text)});
  settings.batch_messages = 4;
  OpenedSource source(settings);
  REQUIRE(source.start() == CDCRT_OK);
  std::vector<Message> first;
  REQUIRE(source.poll(first) == CDCRT_OK);
  CHECK(source.seek("b", 0, 8, 1) == CDCRT_OK);
  const auto messages = source.rest();
  CHECK(std::count_if(messages.begin(), messages.end(), [](const Message& message) { return message.topic == "b"; }) == 2);
  CHECK(messages.size() == 8);
}

TEST_CASE("an offset that was read already is skipped and reported once a partition") {
  const Folder folder;
  OpenedSource source(reading(
      {folder.write("e", line("a", 0, 5) + line("a", 0, 9) + line("a", 0, 5) + line("a", 0, 9) + line("a", 0, 10) + line("b", 0, 1))}));
  CHECK(sorted(places(source.all())) == Places{"a/0/10", "a/0/5", "a/0/9", "b/0/1"});
  REQUIRE(source.logged.size() == 1);
  CHECK(source.logged[0].find("a [0]: offset 5 follows 9: already read, skipped (2 messages") == 0);
}

TEST_CASE("an offset that was never read and comes behind a later one ends the source, after what stands before it") {
  const Folder folder;
  OpenedSource source(reading({folder.write("10", line("b", 0, 3) + line("a", 0, 9)), folder.write("2", line("a", 0, 5))}));
  CHECK(sorted(places(source.all())) == Places{"a/0/9", "b/0/3"});
  CHECK(source.failure.code == CDCRT_FATAL);
  CHECK(source.failure.message.find("a[0]: offset 5 in " + folder.path() + "/2 comes after offset 9") == 0);
  OpenedSource at_once(reading({folder.write("1", line("a", 0, 9)), folder.write("2", line("a", 0, 5))}));
  CHECK(at_once.start() == CDCRT_BAD_CONFIG);
  CHECK(at_once.failure.message.find("the files are not in the order of their offsets") == 0);
  Settings others = reading({folder.write("1", line("a", 0, 9)), folder.write("2", line("a", 0, 5) + line("b", 0, 1))});
  others.topics = {"b"};
  CHECK(places(OpenedSource(others).all()) == Places{"b/0/1"});
  std::string gaps;
  for (int i = 0; i < 20'000; ++i) gaps += line("a", 0, 3 * i);
  OpenedSource compacted(reading({folder.write("gaps", gaps), folder.write("again", gaps + line("a", 0, 60'000))}));
  CHECK(compacted.all().size() == 20'001);
  CHECK(compacted.failure.code == CDCRT_END);
}

TEST_CASE("notes: a file keeps its number by its name and first line, whatever leaves or comes") {
  const Folder folder;
  Settings settings = reading({folder.write("day1", "one\ntwo\n"), folder.write("day2", "three\n")});
  settings.layout = "values";
  settings.topic = "t";
  OpenedSource first(settings);
  const auto notes = first.notes();
  REQUIRE(notes.size() == 2);
  CHECK(notes[0].topic == "t/day1");
  CHECK(notes[0].partition <= CDCRT_NOTE_PARTITION);
  const auto name = [](const auto& note, int64_t lines) {
    return "t/" + note.topic.substr(2) + "/" + std::to_string(note.partition) + "/" + std::to_string(note.offset + lines - 1);
  };
  CHECK(sorted(places(first.all())) ==
        sorted({"t/0/0", "t/0/1", "t/0/" + std::to_string(1LL << 40), name(notes[0], 2), name(notes[1], 1)}));

  const int64_t next = (1LL << 40) + 1;
  settings.paths = {folder.write("day0", "zero\n"), folder.write("day2", "three\nfour"), folder.write("day3", "five\n")};
  OpenedSource second(settings);
  for (const auto& note : notes) second.seek(note.topic, note.partition, note.offset);
  second.seek("t", 0, next);
  CHECK(places(second.all()) ==
        Places{"t/0/" + std::to_string(next), "t/0/" + std::to_string(2LL << 40), "t/0/" + std::to_string(3LL << 40)});
  CHECK(second.logged.size() == 1);  // day0 is read late

  CHECK(second.notes().size() == 3);

  OpenedSource again(settings);  // nothing was noted: as the order of the list says
  CHECK(places(again.all()).size() == 4);
}

TEST_CASE("values: two files of one name that begin alike cannot be told apart") {
  const Folder folder;
  Settings settings = reading({folder.write("a/day", "one\n"), folder.write("b/day", "one\ntwo\n")});
  settings.layout = "values";
  OpenedSource source(settings);
  CHECK(source.start() == CDCRT_BAD_CONFIG);
  CHECK(source.failure.config_key == "paths");
}

TEST_CASE("an unreadable line is reported even where its partition was passed, until its own place is") {
  const Folder folder;
  const std::string broken = R"({"topic":"a","partition":0,"offset":1,"payload":"hal)";
  const auto path = folder.write("e", line("a", 0, 0) + broken + "\n" + line("a", 0, 2));
  OpenedSource again(reading({path}));
  again.seek("a", 0, 3);
  CHECK(places(again.all()) == Places{"e/-1/2"});
  OpenedSource passed(reading({path}));
  passed.seek("a", 0, 3);
  passed.seek("e", -1, 3);
  CHECK(passed.all().empty());
}

TEST_CASE("a whole copy of a broken line is read") {
  const Folder folder;
  const std::string whole = line("a", 0, 1, "\"value\"");
  OpenedSource source(reading({folder.write("e", whole.substr(0, 60) + "\n" + whole)}));
  CHECK(sorted(places(source.all())) == Places{"a/0/1", "e/-1/1"});
}

TEST_CASE("fetch: messages are read again by position, also those of unreadable lines") {
  const Folder folder;
  std::string text, more;
  for (int i = 0; i < 20'000; ++i) text += line("a", i % 2, i, "\"v" + std::to_string(i) + "\"");
  text += "noise\n";
  for (int i = 20'000; i < 30'000; ++i) more += line("a", i % 2, i, "\"v" + std::to_string(i) + "\"");
  OpenedSource source(reading({folder.write("1", text), folder.write("2", more)}));
  for (int when = 0; when < 2; ++when) {  // before anything was read, and with the index
    if (when == 1)
      CHECK(source.all().size() == 30'001);
    else
      REQUIRE(source.start() == CDCRT_OK);
    for (const int64_t first : {0, 1, 8191, 8192, 8193, 15'000, 19'999, 20'001, 29'990}) {
      const auto messages = source.fetch("a", static_cast<int32_t>(first % 2), first, first + 4);
      REQUIRE(messages.size() == 3);
      for (size_t i = 0; i < 3; ++i) {
        CHECK(messages[i].offset == first + 2 * static_cast<int64_t>(i));
        CHECK(messages[i].value == "v" + std::to_string(messages[i].offset));
      }
    }
    CHECK(source.fetch("a", 0, 50'000, 60'000).empty());
    CHECK(source.fetch("none", 0, 0, 10).empty());
    const auto noise = source.fetch("1", -1, 20'001, 20'001);
    REQUIRE(noise.size() == 1);
    CHECK(noise[0].value == "noise");
    CHECK(unreadable_reason(noise[0]) != "");
    CHECK(source.fetch_failure.code == CDCRT_OK);
  }
}

TEST_CASE("fetch: partitions that are read in turn are read in one pass over the files") {
  const Folder folder;
  constexpr int kPartitions = 16, kMessages = 48'000;
  std::string text, more;
  std::vector<int64_t> next(kPartitions);
  std::vector<int> order;
  for (int i = 0; i < kMessages; ++i) order.push_back(i * 7919 % 104'729 % kPartitions);
  for (int i = 0; i < kMessages; ++i) {
    (i < kMessages / 2 ? text : more) += line("a", order[i], next[order[i]]++, "\"v" + std::to_string(i) + std::string(400, 'x') + "\"");
  }
  for (const bool is_packed : {false, true}) {
    CAPTURE(is_packed);
    OpenedSource source(reading({folder.write(is_packed ? "1.gz" : "1", is_packed ? packed(text) : text), folder.write("2", more)}));
    REQUIRE(source.all().size() == kMessages);
    const uint64_t before = bytes_read();
    std::vector<int64_t> read(kPartitions);
    for (bool any = true; any;) {
      any = false;
      for (int partition = 0; partition < kPartitions; ++partition) {
        // What the last call gave was too much by some.
        if (read[partition] > 0 && read[partition] % 40 == 0) read[partition] -= 3;
        const int64_t last = std::min(read[partition] + 99, next[partition] - 1);
        const auto messages = source.fetch("a", partition, read[partition], last);
        REQUIRE(static_cast<int64_t>(messages.size()) == last - read[partition] + 1);
        for (const auto& message : messages) REQUIRE(message.offset == read[partition]++);
        any = any || read[partition] < next[partition];
      }
    }
    // The first piece of each partition is looked for by itself.
    CHECK(bytes_read() - before < 2 * (text.size() + more.size()));
  }
}

TEST_CASE("fetch: ends where the message that it was to end with is not there, however large the next one is") {
  const Folder folder;
  for (const size_t size : {10, 2 << 20}) {
    for (const int64_t gap : {0, 1}) {
      CAPTURE(size);
      CAPTURE(gap);
      std::string text;
      for (int64_t offset = 0; offset < 5; ++offset) text += line("a", 0, offset, "\"v\"");
      text += line("a", 0, 5 + gap, '"' + std::string(size, 'x') + '"') + line("a", 0, 6 + gap, "\"v\"");
      OpenedSource source(reading({folder.write("1", text)}));
      REQUIRE(source.all().size() == 7);
      CHECK(source.fetch("a", 0, 0, 4 + gap).size() == 5);
      CHECK(source.fetch("a", 0, 5, 6 + gap).size() == 2);
    }
  }
}

TEST_CASE("fetch: what is written behind a last line without its end is met by the next call") {
  const Folder folder;
  for (const std::string layout : {"kcat", "values"}) {
    CAPTURE(layout);
    const auto text_of = [&](int64_t offset) {
      return layout == "kcat" ? line("a", 0, offset, "\"v\"") : "{\"v\":" + std::to_string(offset) + "}\n";
    };
    std::string text = text_of(0) + text_of(1);
    text.pop_back();
    Settings settings = reading({folder.write("1", text)});
    settings.layout = layout;
    if (layout == "values") settings.topic = "a";
    OpenedSource source(settings);
    REQUIRE(source.all().size() == 2);
    CHECK(source.fetch("a", 0, 0, 1).size() == 2);
    folder.write("1", text + "\n" + text_of(2) + text_of(3));
    const auto more = source.fetch("a", 0, 2, 3);
    REQUIRE(more.size() == 2);
    CHECK(more[0].offset == 2);
    CHECK(more[1].offset == 3);
  }
}

TEST_CASE("fetch: works from another thread while the files are being read") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += line("a", i % 4, i);
  Settings settings = reading({folder.write("e", text)});
  settings.batch_messages = 10;
  OpenedSource source(settings);
  REQUIRE(source.start() == CDCRT_OK);
  size_t fetched = 0;
  std::thread reader([&] {
    for (int i = 0; i < 20; ++i) fetched += source.fetch("a", i % 4, i * 1000, i * 1000 + 999).size();
  });
  std::vector<Message> read;
  while (source.poll(read) == CDCRT_OK) {
  }
  reader.join();
  CHECK(read.size() == 30'000);
  CHECK(fetched == 20 * 250);
}

TEST_CASE("standard input: read to its end, gzip too, and only forward") {
  const Folder folder;
  const std::string text = line("a", 0, 0) + line("a", 0, 1);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const StandardInput replaced(ends[0]);
  ::close(ends[0]);
  OpenedSource source(reading({"-"}));
  REQUIRE(source.start() == CDCRT_OK);
  std::vector<Message> messages;
  CHECK(source.poll(messages, 0) == CDCRT_OK);  // nothing there yet: no wait, no end
  CHECK(messages.empty());
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  while (messages.size() < 2) REQUIRE(source.poll(messages) == CDCRT_OK);
  CHECK(places(messages) == Places{"a/0/0", "a/0/1"});
  CHECK(source.seek("a", 0, 0, 1) == CDCRT_UNSUPPORTED);
  CHECK(source.seek("a", 0, 2, 1) == CDCRT_OK);
  source.fetch("a", 0, 0, 1);
  CHECK(source.fetch_failure.code == CDCRT_UNSUPPORTED);
  const std::string last = line("a", 0, 2) + "half";
  REQUIRE(::write(ends[1], last.data(), last.size()) == static_cast<ssize_t>(last.size()));
  ::close(ends[1]);
  CHECK(sorted(places(source.rest())) == Places{"a/0/2", "stdin/-1/4"});
  CHECK(source.failure.code == CDCRT_END);
  CHECK(source.extent().total == 0);
}

TEST_CASE("stop: before start, twice, and poll ends") {
  const Folder folder;
  OpenedSource source(reading({folder.write("e", line("a", 0, 0))}));
  source.stop();
  source.stop();
  REQUIRE(source.start() == CDCRT_OK);
  std::vector<Message> messages;
  CHECK(source.poll(messages) == CDCRT_END);
}
