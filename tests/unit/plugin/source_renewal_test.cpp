// A source whose password changes while it reads.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "plugin/instance.hpp"

using namespace cdcrt;

namespace {

const cdcrt_option kOptions[] = {{sizeof(cdcrt_option), CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET, "password", "What the server wants.",
                                  nullptr, nullptr, nullptr, 0, 0}};

struct Server {
  std::string password = "old";
  std::vector<std::string> calls;
};
Server* server = nullptr;

struct Instance {
  std::string password;
  const cdcrt_source_events* events = nullptr;
};

Instance& of(void* self) { return *static_cast<Instance*>(self); }

int32_t answer(void* self, const char* call, cdcrt_error* error) {
  server->calls.push_back(std::string(call) + " " + of(self).password);
  if (of(self).password == server->password) return CDCRT_OK;
  error->code = CDCRT_AUTH;
  error->message = "wrong password";
  return CDCRT_AUTH;
}

plugin::Options options(const std::string& password) {
  plugin::Options::Value value;
  value.option = kOptions;
  value.is_set = true;
  value.string = password;
  return {"events", "shop", {value}};
}

const cdcrt_source& functions() {
  static const cdcrt_source made = [] {
    cdcrt_source table{};
    table.size = sizeof table;
    table.capabilities = CDCRT_SOURCE_GROUPS;
    table.create = [](const cdcrt_host*, const cdcrt_config* config, void** self, cdcrt_error*) -> int32_t {
      *self = new Instance{std::string(config->values[0].string.data, config->values[0].string.size), nullptr};
      return CDCRT_OK;
    };
    table.destroy = [](void* self) {
      server->calls.push_back("destroy " + of(self).password);
      delete &of(self);
    };
    table.start = [](void* self, const cdcrt_source_events* events, cdcrt_error* error) {
      of(self).events = events;
      const int32_t code = answer(self, "start", error);
      if (code == CDCRT_OK) events->assigned(events->self, {"t", 1}, 0);
      return code;
    };
    table.stop = [](void* self) {
      server->calls.push_back("stop " + of(self).password);
      if (of(self).events != nullptr) of(self).events->revoked(of(self).events->self, {"t", 1}, 0);
    };
    table.poll = [](void* self, uint32_t, cdcrt_messages*, cdcrt_error* error) { return answer(self, "poll", error); };
    table.bounds = [](void* self, cdcrt_string, int32_t, cdcrt_bounds*, cdcrt_error* error) { return answer(self, "bounds", error); };
    return table;
  }();
  return made;
}

plugin::Component component(std::function<Result<plugin::Options>()> renew) {
  static const cdcrt_plugin descriptor{sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, CDCRT_SOURCE, 1,      "log", "1.0.0",
                                       "For tests.",         "Apache-2.0",    kOptions,        &functions(), nullptr};
  plugin::Component made;
  made.name = "events";
  made.descriptor = &descriptor;
  made.options = options("old");
  made.renew = std::move(renew);
  return made;
}

/// What the host hears.
struct Host {
  std::vector<std::string> heard;
  cdcrt_source_events events{};
  Host() {
    events.size = sizeof events;
    events.self = this;
    events.assigned = [](void* self, cdcrt_string, int32_t) { static_cast<Host*>(self)->heard.emplace_back("assigned"); };
    events.revoked = [](void* self, cdcrt_string, int32_t) { static_cast<Host*>(self)->heard.emplace_back("revoked"); };
  }
};

using Calls = std::vector<std::string>;

}  // namespace

TEST_CASE("a source whose password was changed goes on with the new one, and its partitions come anew") {
  Server here;
  server = &here;
  Host host;
  {
    auto source = plugin::Source::create(component([] { return options("new"); }));
    REQUIRE(source);
    REQUIRE(source->start(host.events));
    plugin::Messages messages;
    REQUIRE(source->poll(0, messages));
    here.password = "new";
    here.calls.clear();
    // Refused once; the same call made with the new one.
    REQUIRE(source->bounds("t", 0));
    CHECK(here.calls == Calls{"bounds old", "bounds new"});
    here.calls.clear();
    REQUIRE(source->poll(0, messages));
    CHECK(here.calls == Calls{"stop old", "destroy old", "start new", "poll new"});
    CHECK(host.heard == Calls{"assigned", "revoked", "assigned"});
    source->stop();
    CHECK(here.calls.back() == "stop new");
  }
  CHECK(here.calls.back() == "destroy new");
}

TEST_CASE("a source that reads is told to wait while its password is refused, and fails at the start") {
  Server here;
  server = &here;
  here.password = "other";
  Host host;
  auto source = plugin::Source::create(component([] { return options("old"); }));
  REQUIRE(source);
  auto started = source->start(host.events);
  REQUIRE(!started);
  CHECK(started.error().code == CDCRT_AUTH);
  here.password = "old";
  auto reading =
      plugin::Source::create(component([]() -> Result<plugin::Options> { return make_error(CDCRT_BAD_CONFIG, "no such file"); }));
  REQUIRE(reading);
  REQUIRE(reading->start(host.events));
  here.password = "other";
  plugin::Messages messages;
  auto polled = reading->poll(0, messages);
  REQUIRE(!polled);
  CHECK(polled.error().code == CDCRT_RETRY);
  CHECK(polled.error().message == "wrong password");
  CHECK(polled.error().hint == "the manifest's secrets could not be read again: no such file");
}

TEST_CASE("a source of which the new instance cannot start is started again later, and not at once") {
  Server here;
  server = &here;
  Host host;
  std::string in_file = "old";
  auto source = plugin::Source::create(component([&] { return options(in_file); }));
  REQUIRE(source);
  REQUIRE(source->start(host.events));
  plugin::Messages messages;
  here.password = "third";
  in_file = "second";
  REQUIRE(source->poll(0, messages));  // refused, and another one is next
  auto polled = source->poll(0, messages);
  REQUIRE(!polled);
  CHECK(polled.error().code == CDCRT_RETRY);
  here.calls.clear();
  polled = source->poll(0, messages);
  REQUIRE(polled);
  CHECK(*polled == plugin::Poll::kNothing);
  CHECK(here.calls.empty());
}
