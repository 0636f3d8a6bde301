#include "dead_letters/dead_letters.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cdcrt/sdk/status.hpp"

using namespace cdcrt;
using dead_letters::DeadLetter;
using dead_letters::DeadLetters;

namespace {

struct Folder {
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("cdcrt-dead_letters-" + std::to_string(::getpid()));
};

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

DeadLetter dead_letter(int64_t offset, const std::string& table = "shop.orders") {
  DeadLetter made;
  made.reason = "value_refused";
  made.message = "too \"long\"\n";
  made.source = "s";
  made.topic = "t";
  made.partition = 2;
  made.offset = offset;
  made.sink = table.empty() ? "" : "db";
  made.table = table;
  return made;
}

}  // namespace

TEST_CASE("dead letters: a line tells reason, position and bytes, binary ones as base64") {
  const Folder folder;
  const std::string path = (folder.path / "deep" / "dead_letters.jsonl").string();
  DeadLetters dead_letters(path);
  const cdcrt_header headers[] = {{sdk::borrow("h"), sdk::borrow("v")}, {sdk::borrow("none"), {nullptr, 0}}};
  cdcrt_message message{};
  message.key = {nullptr, 0};
  message.value = sdk::borrow("\xff\xfe");
  message.headers = headers;
  message.header_count = 2;
  message.timestamp_ms = 5;
  DeadLetter first = dead_letter(7);
  first.raw = &message;
  dead_letters.add(first);
  CHECK(!std::filesystem::exists(path));
  REQUIRE(dead_letters.flush());
  CHECK(content(path) ==
        R"({"id":"s/t/2/7/db/shop.orders","reason":"value_refused","message":"too \"long\"\n","source":"s","topic":"t","partition":2,)"
        R"("offset":7,"sink":"db","table":"shop.orders","timestamp_ms":5,"key":null,"value":{"base64":"//4="},)"
        R"("headers":[["h","v"],["none",null]]})"
        "\n");
}

TEST_CASE("dead letters: text stays text, control characters and all") {
  const Folder folder;
  DeadLetters dead_letters((folder.path / "l").string());
  cdcrt_message message{};
  const std::string value("{\"a\":\"\\u0041 \x01\x7f \xc3\xa4\"}\0", 21);
  message.value = sdk::borrow(value);
  DeadLetter one = dead_letter(1);
  one.raw = &message;
  dead_letters.add(one);
  REQUIRE(dead_letters.flush());
  CHECK(content(dead_letters.path())
            .find(R"("value":"{\"a\":\"\\u0041 \u0001\u007f )"
                  "\xc3\xa4"
                  R"(\"}\u0000")") != std::string::npos);
}

TEST_CASE("dead letters: an id is written once per process, a message may have one per table") {
  const Folder folder;
  DeadLetters dead_letters((folder.path / "l").string());
  for (int i = 0; i < 3; ++i) {
    dead_letters.add(dead_letter(1));
    REQUIRE(dead_letters.flush());
  }
  dead_letters.add(dead_letter(1, "shop.other"));
  dead_letters.add(dead_letter(1, ""));
  REQUIRE(dead_letters.flush());
  CHECK(dead_letters.count() == 3);
  CHECK(dead_letters.by_table() == std::map<std::string, uint64_t>{{"", 1}, {"shop.orders", 1}, {"shop.other", 1}});
  uint64_t all_reasons = 0;
  for (const auto& [place, count] : dead_letters.by_reason()) all_reasons += place.reason == dead_letter(1).reason ? count : 0;
  CHECK(all_reasons == 3);
  CHECK(dead_letters.by_reason().size() == 3);
  const std::string all = content(dead_letters.path());
  CHECK(std::count(all.begin(), all.end(), '\n') == 3);
}

TEST_CASE("dead letters: a row that cannot be read again says what was decoded") {
  const Folder folder;
  DeadLetters dead_letters((folder.path / "l").string());
  DeadLetter one = dead_letter(1);
  one.decoded_row = "a=s1:x";
  dead_letters.add(one);
  REQUIRE(dead_letters.flush());
  CHECK(content(dead_letters.path()).find(R"("decoded_row":"a=s1:x"})") != std::string::npos);
}

TEST_CASE("dead letters: a folder that cannot be written is an outage, and nothing is lost when it is mended") {
  const Folder folder;
  std::ofstream(folder.path / "blocked") << "a file where a folder should be";
  DeadLetters dead_letters((folder.path / "blocked" / "l").string());
  dead_letters.add(dead_letter(1));
  const auto refused = dead_letters.flush();
  REQUIRE(!refused);
  CHECK(refused.error().code == CDCRT_RETRY);
  CHECK(dead_letters.refusal().find((folder.path / "blocked").string()) != std::string::npos);
  std::filesystem::remove(folder.path / "blocked");
  REQUIRE(dead_letters.flush());
  CHECK(dead_letters.refusal().empty());
  CHECK(content(dead_letters.path()).find("\"offset\":1") != std::string::npos);
}

TEST_CASE("dead letters: a pipe or a device in the place of the file is refused before anything waits for it") {
  const Folder folder;
  const std::string pipe = (folder.path / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string link = (folder.path / "link").string();
  std::filesystem::create_symlink(pipe, link);
  for (const std::string& path : {pipe, link, std::string("/dev/null")}) {
    CAPTURE(path);
    DeadLetters dead_letters(path);
    const auto checked = dead_letters.check();
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == CDCRT_UNREACHABLE);
    CHECK(checked.error().message.find("is no file") != std::string::npos);
    CHECK(std::filesystem::exists(path));
  }
}
