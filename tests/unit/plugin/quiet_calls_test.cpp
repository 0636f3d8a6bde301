// Calls that answer nothing: what leaves the plugin there ends neither the process nor what else is to be done.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "plugin/instance.hpp"

using namespace cdcrt;

namespace {

int32_t create_any(const cdcrt_host*, const cdcrt_config*, void** self, cdcrt_error*) {
  static int instance = 0;
  *self = &instance;
  return CDCRT_OK;
}

std::vector<std::string> lines_of(const cdcrt_plugin& descriptor, void (*use)(const plugin::Component&)) {
  static std::vector<std::string> lines;
  lines.clear();
  plugin::set_log(CDCRT_LOG_ERROR, [](int32_t, std::string_view, std::string_view text) { lines.emplace_back(text); });
  plugin::Component component;
  component.name = "it";
  component.descriptor = &descriptor;
  use(component);
  plugin::set_log(CDCRT_LOG_INFO, {});
  return lines;
}

}  // namespace

TEST_CASE("plugin: an exception out of stop, commit, extent or destroy of a source is told and goes no further") {
  cdcrt_source functions{};
  functions.create = create_any;
  functions.commit = [](void*, cdcrt_string, int32_t, int64_t) { throw std::runtime_error("no commit"); };
  functions.extent = [](void*) -> cdcrt_extent { throw std::runtime_error("no extent"); };
  functions.stop = [](void*) { throw 5; };
  functions.destroy = [](void*) { throw std::runtime_error("no end"); };
  cdcrt_plugin descriptor{};
  descriptor.kind = CDCRT_SOURCE;
  descriptor.name = "bad";
  descriptor.functions = &functions;
  const auto lines = lines_of(descriptor, [](const plugin::Component& component) {
    auto source = plugin::Source::create(component);
    REQUIRE(source);
    source->commit("t", 0, 1);
    CHECK(source->extent().total == 0);
    source->stop();
  });
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].find("'commit', which none may: no commit") != std::string::npos);
  CHECK(lines[1].find("'extent', which none may: no extent") != std::string::npos);
  CHECK(lines[2].find("'stop', which none may: of unknown type") != std::string::npos);
  CHECK(lines[3].find("'destroy', which none may: no end") != std::string::npos);
  CHECK(lines[3].find("source 'bad'") != std::string::npos);
}

TEST_CASE("plugin: an exception out of close of a sink's connection is told and goes no further") {
  cdcrt_sink functions{};
  functions.create = create_any;
  functions.destroy = [](void*) {};
  functions.open = [](void* self, void** connection, cdcrt_error*) -> int32_t {
    *connection = self;
    return CDCRT_OK;
  };
  functions.close = [](void*) { throw std::runtime_error("stuck"); };
  cdcrt_plugin descriptor{};
  descriptor.kind = CDCRT_SINK;
  descriptor.name = "bad";
  descriptor.functions = &functions;
  const auto lines = lines_of(descriptor, [](const plugin::Component& component) {
    auto sink = plugin::Sink::create(component);
    REQUIRE(sink);
    REQUIRE(sink->open());
  });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("'close', which none may: stuck") != std::string::npos);
}
