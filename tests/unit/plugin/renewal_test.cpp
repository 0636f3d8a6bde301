// A sink whose password changes while the process runs.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/instance.hpp"

using namespace cdcrt;

namespace {

const cdcrt_option kOptions[] = {{sizeof(cdcrt_option), CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET, "password", "What the target wants.",
                                  nullptr, nullptr, nullptr, 0, 0}};

/// What the target wants now, and what was done to it.
struct Target {
  std::string password = "old";
  std::vector<std::string> events;
};
Target* target = nullptr;

struct Instance {
  std::string password;
};

std::string text(cdcrt_string value) { return {value.data, value.size}; }

int32_t create(const cdcrt_host*, const cdcrt_config* config, void** self, cdcrt_error*) {
  auto made = std::make_unique<Instance>();
  made->password = text(config->values[0].string);
  target->events.push_back("create " + made->password);
  *self = made.release();
  return CDCRT_OK;
}
int32_t open(void* self, void** connection, cdcrt_error* error) {
  auto* instance = static_cast<Instance*>(self);
  if (instance->password != target->password) {
    error->code = CDCRT_AUTH;
    error->message = "wrong password";
    return CDCRT_AUTH;
  }
  *connection = self;
  return CDCRT_OK;
}
void close(void* connection) { target->events.push_back("close " + static_cast<Instance*>(connection)->password); }
void destroy(void* self) {
  const std::unique_ptr<Instance> instance(static_cast<Instance*>(self));
  target->events.push_back("destroy " + instance->password);
}
int32_t identify(void* self, cdcrt_string pipeline, cdcrt_string process, cdcrt_error*) {
  target->events.push_back("identify " + static_cast<Instance*>(self)->password + " " + text(pipeline) + " " + text(process));
  return CDCRT_OK;
}
int32_t abandoned(void* self, cdcrt_string process, cdcrt_error*) {
  target->events.push_back("abandoned " + static_cast<Instance*>(self)->password + " " + text(process));
  return CDCRT_OK;
}

plugin::Options options(const std::string& password) {
  plugin::Options::Value value;
  value.option = kOptions;
  value.is_set = true;
  value.string = password;
  return {"db", "shop", {value}};
}

plugin::Component component(std::function<Result<plugin::Options>()> renew) {
  static const cdcrt_sink functions = [] {
    cdcrt_sink made{};
    made.size = sizeof made;
    made.create = create;
    made.open = open;
    made.close = close;
    made.destroy = destroy;
    made.identify = identify;
    made.abandoned = abandoned;
    return made;
  }();
  static const cdcrt_plugin descriptor{sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, CDCRT_SINK, 1,      "db", "1.0.0",
                                       "For tests.",         "Apache-2.0",    kOptions,        &functions, nullptr};
  plugin::Component made;
  made.name = "db";
  made.descriptor = &descriptor;
  made.options = options("old");
  made.renew = std::move(renew);
  return made;
}

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("a refused password is read again, and the sink goes on with the new one") {
  Target here;
  target = &here;
  int asked = 0;
  {
    auto sink = plugin::Sink::create(component([&] {
      ++asked;
      return options("new");
    }));
    REQUIRE(sink);
    REQUIRE(sink->identify("shop", "p1"));
    auto first = sink->open();
    REQUIRE(first);
    CHECK(asked == 0);
    here.password = "new";
    {
      auto second = sink->open();
      REQUIRE(second);
      CHECK(asked == 1);
      auto third = sink->open();
      REQUIRE(third);
      CHECK(asked == 1);
      // The instance before lives as long as a connection of it.
      CHECK(here.events == Events{"create old", "identify old shop p1", "create new", "identify new shop p1"});
      REQUIRE(sink->abandoned("p2"));
      CHECK(here.events.back() == "abandoned new p2");
      { const plugin::Connection closed = std::move(*first); }
      CHECK(here.events.at(here.events.size() - 2) == "close old");
      CHECK(here.events.back() == "destroy old");
    }
  }
  CHECK(here.events.size() == 10);
  for (const char* event : {"close old", "destroy old", "destroy new"})
    CHECK_MESSAGE(std::count(here.events.begin(), here.events.end(), event) == 1, event);
}

TEST_CASE("while those who give secrets do not answer, nobody waits who asks for none") {
  Target here;
  target = &here;
  plugin::Sink* asked = nullptr;
  std::future<bool> other;
  bool has_waited = true;
  auto sink = plugin::Sink::create(component([&] {
    other = std::async(std::launch::async, [&] { return asked->abandoned("p2").ok(); });
    has_waited = other.wait_for(std::chrono::seconds(10)) != std::future_status::ready;
    return options("new");
  }));
  REQUIRE(sink);
  asked = &*sink;
  here.password = "new";
  REQUIRE(sink->open());
  CHECK_FALSE(has_waited);
  CHECK(other.get());
  CHECK(here.events.at(1) == "abandoned old p2");
}

TEST_CASE("a refused password that is still the same, or cannot be read, stays refused") {
  Target here;
  target = &here;
  here.password = "other";
  Result<plugin::Options> answer = make_error(CDCRT_RETRY, "503");
  SUBCASE("the same") { answer = options("old"); }
  SUBCASE("unreadable") {}
  int asked = 0;
  auto sink = plugin::Sink::create(component([&] {
    ++asked;
    return answer;
  }));
  REQUIRE(sink);
  for (int i = 0; i < 3; ++i) {
    auto opened = sink->open();
    REQUIRE(!opened);
    CHECK(opened.error().code == CDCRT_AUTH);
    CHECK(opened.error().message == "wrong password");
  }
  CHECK(asked == 1);  // not at each of the attempts, which follow one another quickly at first
  CHECK(here.events == Events{"create old"});
}

TEST_CASE("a login that is about to expire is renewed before the next connection, and the connections that are there stay") {
  Target here;
  target = &here;
  const auto now = std::chrono::system_clock::now();
  int asked = 0;
  auto made = component([&]() -> Result<plugin::Options> {
    ++asked;
    auto fresh = options("new");
    fresh.good_until = now + std::chrono::hours(1);
    return fresh;
  });
  SUBCASE("not yet") {
    made.options.good_until = now + std::chrono::minutes(10);
    auto sink = plugin::Sink::create(made);
    REQUIRE(sink->open());
    CHECK(asked == 0);
  }
  SUBCASE("soon") {
    made.options.good_until = now + std::chrono::minutes(3);
    auto sink = plugin::Sink::create(made);
    here.password = "new";  // the old one would be refused
    REQUIRE(sink->open());
    REQUIRE(sink->open());
    CHECK(asked == 1);
  }
}

TEST_CASE("a login that cannot be renewed is used while it is good, and waited for when it has expired") {
  Target here;
  target = &here;
  const auto now = std::chrono::system_clock::now();
  int asked = 0;
  auto made = component([&]() -> Result<plugin::Options> {
    ++asked;
    return make_error(CDCRT_RETRY, "cluster 'shop' takes no connections: it is paused", "resume it");
  });
  SUBCASE("still good") {
    made.options.good_until = now + std::chrono::minutes(3);
    auto sink = plugin::Sink::create(made);
    CHECK(sink->open());
    CHECK(asked == 1);
  }
  SUBCASE("expired") {
    made.options.good_until = now - std::chrono::minutes(1);
    auto sink = plugin::Sink::create(made);
    for (int i = 0; i < 3; ++i) {
      auto opened = sink->open();
      REQUIRE(!opened);
      CHECK(opened.error().code == CDCRT_RETRY);
      CHECK(opened.error().message ==
            "the login of sink 'db' has expired and cannot be renewed: cluster 'shop' takes no connections: it is paused");
      CHECK(opened.error().hint == "resume it");
    }
    CHECK(asked == 1);
  }
}

TEST_CASE("a sink whose login is renewed again and again keeps no more instances than have connections") {
  Target here;
  target = &here;
  const auto now = std::chrono::system_clock::now();
  int asked = 0;
  auto made = component([&]() -> Result<plugin::Options> {
    here.password = "new" + std::to_string(++asked);
    auto fresh = options(here.password);
    fresh.good_until = now + std::chrono::hours(1);
    return fresh;
  });
  made.options.good_until = now + std::chrono::minutes(3);
  auto sink = plugin::Sink::create(made);
  REQUIRE(sink->open());
  // Nobody has a connection of the first one any more, or ever had.
  CHECK(here.events == Events{"create old", "create new1", "destroy old", "close new1"});
}
