#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "plugin/instance.hpp"

using namespace cdcrt;

namespace {

/// A batch of people[3] with these offsets, before anybody looked at it.
struct Given {
  explicit Given(const std::vector<int64_t>& offsets) {
    for (const int64_t offset : offsets) all.emplace_back().offset = offset;
    cdcrt_messages& out = *messages.out();
    out.topic = sdk::borrow("people");
    out.partition = 3;
    out.messages = all.data();
    out.count = static_cast<uint32_t>(all.size());
    out.message_size = sizeof(cdcrt_message);
  }
  std::string fault() {
    auto taken = messages.take();
    if (taken) return {};
    CHECK(taken.error().code == CDCRT_FATAL);
    return taken.error().message;
  }
  std::vector<cdcrt_message> all;
  plugin::Messages messages;
};

cdcrt_source functions_of(decltype(cdcrt_source::poll) poll, decltype(cdcrt_source::fetch) fetch) {
  cdcrt_source made{};
  made.size = sizeof made;
  made.create = [](const cdcrt_host*, const cdcrt_config*, void**, cdcrt_error*) -> int32_t { return CDCRT_OK; };
  made.poll = poll;
  made.fetch = fetch;
  made.destroy = [](void*) {};
  return made;
}

template <class Functions>
plugin::Component component_of(const Functions& functions, uint32_t kind, cdcrt_plugin& plugin) {
  plugin.size = sizeof plugin;
  plugin.kind = kind;
  plugin.name = "broken";
  plugin.functions = &functions;
  plugin::Component component;
  component.descriptor = &plugin;
  return component;
}

bool says(const Error& error, const std::string& text) {
  const bool found = error.message.find(text) != std::string::npos;
  if (!found) MESSAGE(error.message);
  return found;
}

}  // namespace

TEST_CASE("a source hands over offsets that ascend, with gaps or without") {
  CHECK(Given({0, 1, 5, 1LL << 60}).fault().empty());
  CHECK(Given({}).fault().empty());
  CHECK(Given({4, 4}).fault() == "the plugin breaks its contract: offsets of people[3] do not ascend: 4 comes after 4");
  CHECK(Given({4, 7, 5}).fault() == "the plugin breaks its contract: offsets of people[3] do not ascend: 5 comes after 7");
  CHECK(Given({-1}).fault().find("at offset -1 has a negative offset") != std::string::npos);
}

TEST_CASE("bytes, headers or messages of a source at a NULL pointer are a fault") {
  Given value({9});
  value.all[0].value.size = 5;
  CHECK(value.fault().find("the message of people[3] at offset 9 has bytes at a NULL pointer") != std::string::npos);
  Given headers({9});
  headers.all[0].header_count = 2;
  CHECK(headers.fault().find("has headers at a NULL pointer") != std::string::npos);
  Given messages({9});
  messages.messages.out()->messages = nullptr;
  CHECK(messages.fault().find("1 messages of people[3] are at a NULL pointer") != std::string::npos);
  Given topic({9});
  topic.messages.out()->topic = {};
  CHECK(topic.fault().find("names no topic") != std::string::npos);
  Given size({9});
  size.messages.out()->message_size = 0;
  CHECK(size.fault().find("messages of people[3] have the size 0") != std::string::npos);
}

TEST_CASE("partitions of notes are of sources that keep notes") {
  static const cdcrt_source functions = functions_of(
      [](void*, uint32_t, cdcrt_messages* out, cdcrt_error*) -> int32_t {
        static const cdcrt_message one{};
        out->topic = sdk::borrow("people");
        out->partition = CDCRT_NOTE_PARTITION;
        out->messages = &one;
        out->count = 1;
        out->message_size = sizeof one;
        return CDCRT_OK;
      },
      nullptr);
  cdcrt_plugin descriptor{};
  auto source = plugin::Source::create(component_of(functions, CDCRT_SOURCE, descriptor));
  REQUIRE(source.ok());
  plugin::Messages messages;
  auto polled = source->poll(0, messages);
  REQUIRE(!polled.ok());
  CHECK(says(polled.error(), "messages of partition -2, where it keeps no notes"));
}

TEST_CASE("a source that polls or fetches against its contract, or lets an exception out, ends with its name") {
  static const cdcrt_source functions = functions_of(
      [](void*, uint32_t timeout_ms, cdcrt_messages* out, cdcrt_error*) -> int32_t {
        static const cdcrt_message none[2] = {};
        if (timeout_ms == 7) throw std::runtime_error("the sky fell");
        if (timeout_ms == 8) return 4711;
        out->topic = sdk::borrow("people");
        out->messages = none;
        out->count = 2;
        out->message_size = sizeof none[0];
        return CDCRT_OK;
      },
      [](void*, cdcrt_string, int32_t, int64_t first, int64_t last, int32_t (*visit)(void*, const cdcrt_message*), void* context,
         cdcrt_error*) -> int32_t {
        cdcrt_message message{};
        for (message.offset = first; message.offset <= last + 1; ++message.offset) {
          if (visit(context, &message) != 0) return CDCRT_OK;
        }
        return CDCRT_OK;
      });
  cdcrt_plugin descriptor{};
  auto source = plugin::Source::create(component_of(functions, CDCRT_SOURCE, descriptor));
  REQUIRE(source.ok());
  plugin::Messages messages;
  auto polled = source->poll(0, messages);
  REQUIRE(!polled.ok());
  CHECK(polled.error().code == CDCRT_FATAL);
  CHECK(says(polled.error(), "source 'broken': the plugin breaks its contract: offsets of people[0] do not ascend: 0 comes after 0"));
  CHECK(messages.get().count == 0);
  polled = source->poll(7, messages);
  REQUIRE(!polled.ok());
  CHECK(says(polled.error(), "source 'broken': an exception left the plugin, which none may: the sky fell"));
  polled = source->poll(8, messages);
  REQUIRE(!polled.ok());
  CHECK(polled.error().code == CDCRT_FATAL);
  int visited = 0;
  auto fetched = source->fetch("people", 0, 5, 6, [&](const cdcrt_message&) { return ++visited > 0; });
  REQUIRE(!fetched.ok());
  CHECK(says(fetched.error(), "people[0]: it read offset 7, where 7 to 6 were asked for"));
  CHECK(visited == 2);
}

TEST_CASE("a sink that misses a row that was not written ends with its name, and what it counts arrives") {
  static const cdcrt_sink functions = [] {
    cdcrt_sink made{};
    made.size = sizeof made;
    made.create = [](const cdcrt_host*, const cdcrt_config*, void**, cdcrt_error*) -> int32_t { return CDCRT_OK; };
    made.open = [](void*, void**, cdcrt_error*) -> int32_t { return CDCRT_OK; };
    made.write = [](void*, const cdcrt_write* write, cdcrt_error*) -> int32_t {
      write->missing(write->context, 1);
      write->overflowed(write->context, 5);
      if (write->kind == CDCRT_WRITE_REMOVE) write->missing(write->context, 2);
      return CDCRT_OK;
    };
    made.describe = [](void*, const cdcrt_table*, cdcrt_table_description* out, cdcrt_error*) -> int32_t {
      static const cdcrt_column nameless{};
      out->exists = 1;
      out->columns = &nameless;
      out->column_count = 1;
      out->column_size = sizeof nameless;
      return CDCRT_OK;
    };
    made.read = [](void*, const cdcrt_read* read, cdcrt_error*) -> int32_t {
      cdcrt_cell cells[2] = {};
      if (read->visit(read->context, cells) != 0) return CDCRT_OK;
      cells[1].tag = 99;
      read->visit(read->context, cells);
      return CDCRT_OK;
    };
    made.read_together = [](void*, const cdcrt_read* reads, uint32_t count, cdcrt_error*) -> int32_t {
      for (uint32_t i = 0; i < count; ++i) reads[i].visit(reads[i].context, nullptr);
      return CDCRT_OK;
    };
    made.close = made.destroy = [](void*) {};
    return made;
  }();
  cdcrt_plugin descriptor{};
  auto sink = plugin::Sink::create(component_of(functions, CDCRT_SINK, descriptor));
  REQUIRE(sink.ok());
  auto connection = sink->open();
  REQUIRE(connection.ok());
  struct Told {
    uint64_t missing = 0, overflowed = 0;
  } told;
  cdcrt_write write{};
  write.kind = CDCRT_WRITE_PATCH;
  write.table.name = sdk::borrow("orders");
  write.row_count = 2;
  write.missing = [](void* context, uint64_t row) { static_cast<Told*>(context)->missing = row; };
  write.overflowed = [](void* context, uint64_t values) { static_cast<Told*>(context)->overflowed = values; };
  write.context = &told;
  CHECK(connection->write(write).ok());
  CHECK(told.missing == 1);
  CHECK(told.overflowed == 5);
  write.kind = CDCRT_WRITE_REMOVE;
  auto written = connection->write(write);
  REQUIRE(!written.ok());
  CHECK(
      says(written.error(), "sink 'broken': the plugin breaks its contract: of 2 rows written to 'orders' it says that row 2 is missing"));
  const cdcrt_column columns[2] = {{sdk::borrow("a"), {}, 0, 0, {}, {}, {}}, {sdk::borrow("b"), {}, 0, 0, {}, {}, {}}};
  uint64_t visited = 0;
  cdcrt_read read{};
  read.table = write.table;
  read.columns = columns;
  read.column_count = 2;
  read.visit = [](void* context, const cdcrt_cell*) -> int32_t {
    ++*static_cast<uint64_t*>(context);
    return 0;
  };
  read.context = &visited;
  auto done = connection->read(read);
  REQUIRE(!done.ok());
  CHECK(visited == 1);
  CHECK(says(done.error(), "of table 'orders' it read column 'b' with tag 99, which is none"));
  done = connection->read_together({read, read});
  REQUIRE(!done.ok());
  CHECK(says(done.error(), "of table 'orders' it read a row at a NULL pointer"));
  auto described = connection->describe(write.table);
  REQUIRE(!described.ok());
  CHECK(says(described.error(), "a column of a table has no name"));
}
