// Target: a database in memory, the sink before it and a connection to it.
#pragma once

#include <doctest/doctest.h>

#include <utility>

#include "apply/memory_sink.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::test {

struct Target {
  memory_sink::Database database;
  plugin::Sink sink = [this] {
    auto made = plugin::Sink::create(memory_sink::component(database));
    REQUIRE(made);
    return std::move(*made);
  }();
  plugin::Connection connection = [this] {
    auto opened = sink.open();
    REQUIRE(opened);
    return std::move(*opened);
  }();
};

}  // namespace cdcrt::test
