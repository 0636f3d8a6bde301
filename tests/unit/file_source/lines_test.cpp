#include <sys/resource.h>

#include <algorithm>

#include "opened_source.hpp"

using namespace file_source_test;

namespace {

std::vector<std::string> values_of(const std::vector<Message>& messages) {
  std::vector<std::string> out;
  for (const auto& message : messages) out.push_back(message.value.value_or("(null)"));
  return out;
}

std::vector<std::string> values_in(const std::string& bytes) {
  const Folder folder;
  Settings settings = reading({folder.write("v.txt", bytes)});
  settings.layout = "values";
  OpenedSource source(settings);
  return values_of(source.all());
}

long peak_kilobytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("lines: an empty file is no error and holds nothing") {
  CHECK(values_in("").empty());
  CHECK(values_in("\n\r\n\n").empty());
  CHECK(values_in("\xEF\xBB\xBF").empty());
}

TEST_CASE("lines: CRLF, a byte order mark and a last line without newline are understood") {
  CHECK(values_in("\xEF\xBB\xBFone\r\ntwo\n\r\nthree\r\nfour") == Values{"one", "two", "three", "four"});
  CHECK(values_in("a") == Values{"a"});
  CHECK(values_in("ab\n") == Values{"ab"});
  CHECK(values_in("a\rb\r") == Values{"a\rb"});
}

TEST_CASE("values layout: topic, partition and offsets come from file and line") {
  const Folder folder;
  Settings settings =
      reading({folder.write("shop.a.jsonl", "x\n\ny\n"), folder.write("two/shop.a.jsonl.gz", packed("z\n")), folder.write("b", "w\n")});
  settings.layout = "values";
  OpenedSource source(settings);
  auto messages = source.all();
  auto got = places(messages);
  std::sort(got.begin(), got.end());
  CHECK(got == Values{"b/0/0", "shop.a/0/0", "shop.a/0/" + std::to_string(1LL << 40), "shop.a/0/2"});
  for (const auto& message : messages) {
    CHECK(!message.key.has_value());
    CHECK(message.timestamp_ms == -1);
  }

  settings.topic = "all";
  OpenedSource named(settings);
  CHECK(places(named.all()) == Values{"all/0/0", "all/0/2", "all/0/" + std::to_string(1LL << 40), "all/0/" + std::to_string(2LL << 40)});
}

TEST_CASE("values layout: bytes of a line are the value, whatever they are") {
  using namespace std::string_literals;
  CHECK(values_in("\xFF\0\x01\"\\u0041\n {}"s) == Values{"\xFF\0\x01\"\\u0041"s, " {}"});
}

TEST_CASE("gzip: recognised by content, members one after the other, zeros behind them") {
  CHECK(values_in(packed("one\ntw") + packed("") + packed("o\nthree")) == Values{"one", "two", "three"});
  CHECK(values_in(packed("one\n") + std::string(1000, '\0')) == Values{"one"});
  CHECK(values_in("\x1f") == Values{"\x1f"});
  CHECK(values_in(packed("")).empty());
}

TEST_CASE("gzip: a file that is cut off or damaged is an error that names it, after what could be read") {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line number " + std::to_string(i * 7919 % 50'000) + "\n";
  const std::string bytes = packed(text);
  const Folder folder;
  for (const size_t size : {size_t{2}, size_t{9}, bytes.size() / 2, bytes.size() - 1}) {
    Settings settings = reading({folder.write("cut.gz", bytes.substr(0, size)), folder.write("after", "x\n")});
    settings.layout = "values";
    OpenedSource source(settings);
    const auto messages = source.all();
    CHECK(source.failure.code == CDCRT_FATAL);
    CHECK(source.failure.message.find("cut.gz is cut off: it ends at byte " + std::to_string(size)) != std::string::npos);
    if (size > 1000) CHECK(messages.size() > 100);
    std::vector<Message> more;
    CHECK(source.poll(more) == CDCRT_FATAL);
    CHECK(more.empty());
  }
  std::string damaged = bytes;
  damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
  damaged[damaged.size() - 6] = static_cast<char>(~damaged[damaged.size() - 6]);
  Settings settings = reading({folder.write("damaged.gz", damaged)});
  settings.layout = "values";
  OpenedSource source(settings);
  source.all();
  CHECK(source.failure.code == CDCRT_FATAL);
  CHECK(source.failure.message.find("damaged.gz is damaged near byte") != std::string::npos);
  Settings tail = reading({folder.write("tail.gz", packed("a\n") + "garbage")});
  tail.layout = "values";
  OpenedSource with_tail(tail);
  CHECK(with_tail.all().size() == 1);
  CHECK(with_tail.failure.code == CDCRT_FATAL);
}

TEST_CASE("lines: 100 MB in one line become one unreadable message, in bounded memory") {
  const Folder folder;
  const std::string path = folder.path() + "/long.jsonl";
  {
    std::ofstream file(path, std::ios::binary);
    file << line("t", 0, 0) << R"({"topic":"t","partition":0,"offset":1,"payload":")";
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 100; ++i) file << block;
    file << "\"}\n" << line("t", 0, 2);
  }
  Settings settings = reading({path});
  settings.max_line = 4 << 20;
  const long before = peak_kilobytes();
  OpenedSource source(settings);
  const auto messages = source.all();
  REQUIRE(messages.size() == 3);
  const auto& unreadable = *std::find_if(messages.begin(), messages.end(), [](const Message& message) { return message.partition == -1; });
  CHECK(unreadable.topic == "long.jsonl");
  CHECK(unreadable.offset == 2);
  CHECK(unreadable.value->size() == 64 << 10);
  CHECK(unreadable_reason(unreadable).find("more than max_line (4194304)") != std::string::npos);
  CHECK(source.largest_batch < 1 << 20);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(peak_kilobytes() - before < 40 << 10);
#else
  (void)before;
#endif
}

TEST_CASE("lines: one that just fits max_line is read, one byte more is not") {
  const Folder folder;
  for (const size_t size : {size_t{1024}, size_t{1025}, size_t{300'000}, size_t{300'001}}) {
    Settings settings = reading({folder.write("v", "first\n" + std::string(size, 'y') + "\nlast")});
    settings.layout = "values";
    settings.max_line = static_cast<int64_t>(size & ~size_t{1});
    OpenedSource source(settings);
    const auto messages = source.all();
    REQUIRE(messages.size() == 3);
    const bool is_long = (size & 1) != 0;
    CHECK(std::count_if(messages.begin(), messages.end(), [](const Message& message) { return message.partition == -1; }) ==
          (is_long ? 1 : 0));
    if (!is_long) CHECK(messages[1].value == std::string(size, 'y'));
  }
}
