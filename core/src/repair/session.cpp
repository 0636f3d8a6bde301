#include "repair/session.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::repair {
namespace {

constexpr auto kLockTimeout = std::chrono::seconds(60);
constexpr auto kPause = std::chrono::milliseconds(200);

std::string owner_of_command() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + ":" + std::to_string(::getpid()) + ":command";
}

// A command that changes something makes nothing either where nothing is kept: it has nothing to change.
bool would_make(const manifest::Sink& manifest, const std::string& pipeline) {
  const plugin::Component looks = plugin::looking(manifest, pipeline);
  if (looks.options.same_values(manifest.options)) return false;
  auto sink = plugin::Sink::create(looks);
  if (!sink || !sink->has(CDCRT_SINK_TRANSACTIONS)) return false;
  auto connection = sink->open();
  if (!connection) return false;
  progress::Store store(pipeline, manifest.name, manifest.progress_schema, sink->capabilities(), {});
  const auto version = store.kept_version(*connection);
  return version && *version == 0;
}

// What is kept can be read: there is something, and it is of this version.
Result<void> read_kept(Target& target, Session::Intent intent) {
  if (intent == Session::Intent::kChange) {
    if (auto prepared = target.store->prepare(target.connection); !prepared) return prepared;
    return target.refresh();
  }
  auto version = target.store->kept_version(target.connection);
  if (!version) return std::move(version.error());
  if (*version == 0) return {};
  if (*version < progress::Store::own_version()) {
    return make_error(CDCRT_UNSUPPORTED,
                      "the progress in '" + target.manifest.progress_schema + "' was written by an older cdcrt (format_version " +
                          std::to_string(*version) + ", this one's is " + std::to_string(progress::Store::own_version()) + ")",
                      "start the pipeline with this version, or run a command that changes something: both bring it forward");
  }
  if (*version > progress::Store::own_version()) {
    return make_error(CDCRT_UNSUPPORTED,
                      "the progress in '" + target.manifest.progress_schema + "' has format_version " + std::to_string(*version) +
                          ", this cdcrt knows " + std::to_string(progress::Store::own_version()),
                      "run the newer cdcrt");
  }
  return target.refresh();
}

}  // namespace

Result<void> Target::refresh() {
  auto read = store->read_all(connection, true);
  if (!read) return std::move(read.error());
  stored = std::move(*read);
  return {};
}

plugin::Source* Log::source() {
  if (source_) return &*source_;
  if (problem_) return nullptr;
  auto made = plugin::Source::create(manifest_);
  if (!made) {
    problem_ = std::move(made.error());
    return nullptr;
  }
  if (!made->has(CDCRT_SOURCE_GROUPS)) {
    problem_ = make_error(CDCRT_UNSUPPORTED, "source '" + manifest_.name + "' does not know the bounds of its partitions");
    return nullptr;
  }
  source_ = std::move(*made);
  return &*source_;
}

std::optional<cdcrt_bounds> Log::bounds(const std::string& topic, int32_t partition) {
  const auto known = known_.find({topic, partition});
  if (known != known_.end()) return known->second;
  std::optional<cdcrt_bounds>& found = known_[{topic, partition}];
  plugin::Source* asked = source();
  if (asked == nullptr || (problem_ && problem_->code != CDCRT_BAD_CONFIG)) return found;
  auto bounds = asked->bounds(topic, partition);
  if (bounds) {
    found = *bounds;
  } else {
    problem_ = std::move(bounds.error());
  }
  return found;
}

std::vector<std::pair<std::string, std::string>> Log::unmet() {
  plugin::Source* asked = problem_ && problem_->code != CDCRT_BAD_CONFIG ? nullptr : source();
  if (asked == nullptr) return {};
  auto survey = asked->survey();
  if (survey) return std::move(survey->unmet);
  problem_ = std::move(survey.error());
  return {};
}

Result<int64_t> Log::offset_at(const std::string& topic, int32_t partition, int64_t timestamp_ms) {
  plugin::Source* asked = source();
  if (asked == nullptr) return *problem_;
  return asked->offset_at(topic, partition, timestamp_ms);
}

bool Session::open(const manifest::Manifest& manifest, Intent intent, const std::string& only_sink) {
  manifest_ = &manifest;
  for (const auto& source : manifest.sources) logs_.emplace_back(source);
  for (const auto& manifest_sink : manifest.sinks) {
    if (!only_sink.empty() && manifest_sink.name != only_sink) continue;
    const auto refuse = [&](Error& error) {
      trouble_ = {&manifest_sink, std::move(error)};
      return false;
    };
    const Intent here = intent == Intent::kChange && would_make(manifest_sink, manifest.pipeline) ? Intent::kLook : intent;
    auto sink =
        plugin::Sink::create(here == Intent::kLook ? plugin::looking(manifest_sink, manifest.pipeline) : plugin::Component(manifest_sink));
    if (!sink) return refuse(sink.error());
    if (!sink->has(CDCRT_SINK_TRANSACTIONS)) continue;
    auto connection = sink->open();
    if (!connection) return refuse(connection.error());
    const uint32_t capabilities = sink->capabilities();
    const cdcrt_limits limits = sink->limits();
    targets_.push_back({manifest_sink,
                        std::move(*sink),
                        std::move(*connection),
                        std::make_unique<progress::Store>(manifest.pipeline, manifest_sink.name, manifest_sink.progress_schema,
                                                          capabilities, owner_of_command(), limits),
                        {}});
    if (auto read = read_kept(targets_.back(), here); !read) return refuse(read.error());
  }
  if (!targets_.empty()) return true;
  const manifest::Sink* named = &manifest.sinks.front();
  for (const auto& sink : manifest.sinks) {
    if (sink.name == only_sink) named = &sink;
  }
  trouble_ = {named, make_error(CDCRT_BAD_CONFIG, "sink '" + named->name + "' keeps no progress: it gets everything again at each start",
                                "nothing is to be shown or changed for such a sink")};
  return false;
}

Log* Session::log(const std::string& source) {
  for (Log& log : logs_) {
    if (log.name() == source) return &log;
  }
  return nullptr;
}

Result<void> in_transaction(Target& target, const std::function<Result<void>()>& body) {
  const auto until = std::chrono::steady_clock::now() + kLockTimeout;
  while (true) {
    auto done = target.connection.begin();
    if (done) {
      done = body();
      if (done) {
        done = target.connection.commit();
      } else {
        (void)target.connection.rollback();
      }
    }
    if (done || done.error().code != CDCRT_BUSY || std::chrono::steady_clock::now() >= until) return done;
    std::this_thread::sleep_for(kPause);
  }
}

cdcrt_table TableName::abi() const { return {schema.empty() ? cdcrt_string{nullptr, 0} : sdk::borrow(schema), sdk::borrow(name)}; }

Result<std::optional<TableName>> locate(Target& target, const std::string& name) {
  std::vector<TableName> candidates;
  if (target.sink.has(CDCRT_SINK_SCHEMAS)) {
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      candidates.push_back({name.substr(0, dot), name.substr(dot + 1)});
    }
  }
  candidates.push_back({"", name});
  for (TableName& candidate : candidates) {
    if (candidate.name.empty()) continue;
    auto description = target.connection.describe(candidate.abi());
    if (!description) return std::move(description.error());
    if (description->get().exists != 0) return std::optional(std::move(candidate));
  }
  return std::optional<TableName>();
}

}  // namespace cdcrt::repair
