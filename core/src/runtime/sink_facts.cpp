// SinkRuntime's facts for those who watch.
#include "runtime/sink_runtime.hpp"

namespace cdcrt::runtime {

observe::SinkFacts SinkRuntime::facts() const {
  observe::SinkFacts facts;
  facts.name = manifest_.name;
  facts.plugin = manifest_.plugin;
  const auto outage = outage_.reason();
  facts.state = failed_ ? "failed" : outage ? "waiting" : "writing";
  facts.reason = failed_ ? "failed: " + explain(failure()) : outage.value_or("");
  facts.connections = connections();
  for (std::size_t i = 0; i < facts.retries.size(); ++i) facts.retries[i] = counts_.retries[i];
  facts.write_seconds = counts_.write_seconds.counts();
  facts.write_rows = counts_.write_rows.counts();
  facts.delay_seconds = counts_.delay_seconds.counts();
  facts.last_commit_us = counts_.last_commit_us;
  return facts;
}

// Those that write; sinks with one writer use one.
uint32_t SinkRuntime::connections() const {
  const bool one = sink_->limits().writers == 1 || sink_->has(CDCRT_SINK_EVENTS);
  return one ? 1 : std::max<uint32_t>(1, manifest_.connections);
}

}  // namespace cdcrt::runtime
