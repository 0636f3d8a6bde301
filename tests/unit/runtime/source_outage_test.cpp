// What is said of a source that does not answer, or not of everything.
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

#include "cdcrt/sdk/message_batch.hpp"
#include "runtime/group.hpp"

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
