// What is said of a source that does not answer, or not of everything.
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>

#include "cdcrt/sdk/message_batch.hpp"
#include "runtime/group.hpp"
#include "runtime/source_outage.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

namespace {

/// What is logged while it lives.
class Lines {
 public:
  Lines() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~Lines() { spdlog::set_default_logger(before_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  [[nodiscard]] int with(const std::string& part) const {
    const std::string text = text_.str();
    int count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

void give_one(cdcrt_messages& out, int64_t offset) {
  static const auto pool = std::make_shared<sdk::BlockPool>();
  auto batch = std::make_unique<sdk::MessageBatch>(pool, std::make_shared<const std::string>("t1"), 0, 0);
  batch->add(message_at(offset), nullptr, 0);
  sdk::MessageBatch::hand_over(std::move(batch), &out);
}

}  // namespace

TEST_CASE("outages: where a part of a source is away while the rest comes, that is told once and not with each batch") {
  Group& asked = new_group();
  Pipeline pipeline;
  pipeline.settle();
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  asked.on_poll = [&](cdcrt_messages& out) {
    if (asked.polls % 2 == 1) return sdk::Status::retry("nobody leads t13", "wait");
    give_one(out, asked.polls);
    return sdk::Status();
  };
  const Lines lines;
  for (int i = 0; i < 40; ++i) REQUIRE(pipeline.source().step(0));
  CHECK(pipeline.source().messages() == 20);
  CHECK(lines.with("waiting for the source") == 1);
  CHECK(lines.with("nobody leads t13; wait") == 1);
  CHECK(lines.with("answers again") == 0);
  CHECK(pipeline.source().outage().has_value());
}

TEST_CASE("outages: another trouble within one is told at once, and each of them once") {
  Group& asked = new_group();
  Pipeline pipeline;
  pipeline.settle();
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  asked.on_poll = [&](cdcrt_messages& out) {
    if (asked.polls % 3 == 1) return sdk::Status::retry("nobody leads t13", "wait");
    // Told once, as some troubles are.
    if (asked.polls == 6) return sdk::Status::retry("no right to read t1", "allow it");
    give_one(out, asked.polls);
    return sdk::Status();
  };
  const Lines lines;
  for (int i = 0; i < 40; ++i) REQUIRE(pipeline.source().step(0));
  CHECK(lines.with("nobody leads t13") == 1);
  CHECK(lines.with("no right to read t1") == 1);
  CHECK(lines.with("answers again") == 0);
}

TEST_CASE("outages: what a source waits for is told also while the host takes nothing, and makes nobody unready who brought enough") {
  Group& asked = new_group();
  Pipeline pipeline;
  pipeline.settle();
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  pipeline.monitor.message_bytes = INT64_MAX;
  asked.waits_for = "nobody leads t13";
  const Lines lines;
  for (int i = 0; i < 3; ++i) REQUIRE(pipeline.source().step(0));
  CHECK(asked.polls == 0);
  CHECK(lines.with("nobody leads t13") == 1);
  REQUIRE(pipeline.source().outage().has_value());
  CHECK(pipeline.source().outage()->find("nobody leads t13") != std::string::npos);
  // And that it is over.
  asked.waits_for.clear();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (pipeline.source().outage() && std::chrono::steady_clock::now() < deadline) REQUIRE(pipeline.source().step(0));
  CHECK_FALSE(pipeline.source().outage().has_value());
  pipeline.monitor.message_bytes = 0;
}

TEST_CASE("outages: that of a part is told from that of all by what comes meanwhile") {
  using namespace std::chrono_literals;
  using runtime::SourceOutage;
  const auto begin = SourceOutage::Clock::now();
  SourceOutage outage;
  CHECK_FALSE(outage.is_partial(begin));
  outage.came(begin);
  outage.met("nobody leads t13", begin);
  // What was on its way.
  outage.came(begin + 5s);
  CHECK_FALSE(outage.is_partial(begin + 5s));
  outage.met("nobody leads t13", begin + 7s);
  outage.came(begin + 7s);
  CHECK(outage.is_partial(begin + 7s));
  CHECK(outage.text(begin + 7s) == "waiting for the source for 7 s: nobody leads t13");
  CHECK(outage.is_partial(begin + 16s));
  // Nothing comes any more: all of it is away.
  outage.met("no broker answers", begin + 18s);
  CHECK_FALSE(outage.is_partial(begin + 18s));
  CHECK(outage.text(begin + 18s) == "waiting for the source for 18 s: no broker answers");
}

TEST_CASE("outages: one is over when nothing was said of it for some seconds, and the next one begins anew") {
  using namespace std::chrono_literals;
  using runtime::SourceOutage;
  const auto begin = SourceOutage::Clock::now();
  SourceOutage outage;
  outage.met("no broker answers", begin);
  outage.answered(begin + 5s);
  CHECK(outage.lasts());
  outage.answered(begin + 6s);
  CHECK_FALSE(outage.lasts());
  CHECK_FALSE(outage.text(begin + 6s).has_value());
  outage.came(begin + 60s);
  outage.met("no broker answers", begin + 60s);
  CHECK_FALSE(outage.is_partial(begin + 60s));
  CHECK(outage.text(begin + 61s) == "waiting for the source for 1 s: no broker answers");
}
