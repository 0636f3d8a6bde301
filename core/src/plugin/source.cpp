#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "cdcrt/sdk/status.hpp"
#include "diagnostics/plugin_error.hpp"
#include "plugin/crossing.hpp"
#include "plugin/instance.hpp"
#include "plugin/renewal.hpp"

namespace cdcrt::plugin {
namespace {

using Clock = std::chrono::steady_clock;

// Servers lock accounts whose password is wrong too often.
constexpr std::chrono::seconds kBetweenStarts{5};

/// The instance behind a Source. Where a server refuses the credentials of a source with GROUPS (AUTH), the secrets and files of the
/// manifest are read again. What changed is taken by a new instance: within poll or serve the old one is stopped, which tells its
/// partitions as revoked, and the new one started.
///
/// Once it had partitions, a refusal is answered as RETRY: what was right at the start is being changed, and the operator mends it while
/// the source waits.
class InstanceOfSource {
 public:
  InstanceOfSource(const cdcrt_source& functions, const Component& component, std::shared_ptr<void> self)
      : functions_(functions), name_(name_of(*component.descriptor)), component_("sources." + component.name), self_(std::move(self)) {
    if (!component.renew || (functions.capabilities & CDCRT_SOURCE_GROUPS) == 0) return;
    const auto create = [&functions](const Component& fresh) { return create_instance(&functions, fresh); };
    renewal_.emplace(component, std::exchange(self_, nullptr), create);
  }

  /// Any thread.
  [[nodiscard]] std::shared_ptr<void> newest() const { return renewal_ ? renewal_->current() : self_; }
  /// The one that reads.
  [[nodiscard]] std::shared_ptr<void> running() const { return started_ ? started_ : newest(); }

  /// `call`, once more with an instance that has other secrets when it was refused. Any thread.
  template <class Call>
  Result<void> ask(const Call& call) {
    const auto self = newest();
    auto asked = call(self.get());
    if (asked || asked.error().code != CDCRT_AUTH || !renewal_) return asked;
    const auto renewed = renewal_->after_refusal(self, asked.error());
    return renewed == self ? std::move(asked) : call(renewed.get());
  }

  // The source's thread.
  Result<void> start(const cdcrt_source_events& events) {
    host_events_ = &events;
    own_events_.size = sizeof own_events_;
    own_events_.self = this;
    own_events_.assigned = [](void* self, cdcrt_string topic, int32_t partition) {
      auto& own = *static_cast<InstanceOfSource*>(self);
      own.was_assigned_ = true;
      own.host_events_->assigned(own.host_events_->self, topic, partition);
    };
    own_events_.revoked = [](void* self, cdcrt_string topic, int32_t partition) {
      const auto& own = *static_cast<InstanceOfSource*>(self);
      own.host_events_->revoked(own.host_events_->self, topic, partition);
    };
    auto started = start_newest();
    if (started || !renews(started.error())) return started;
    stop();
    return start_newest();
  }

  /// poll or serve, of the newest instance. False: there is none to call for now, or another one is next.
  template <class Call>
  Result<bool> read(uint32_t timeout_ms, const Call& call) {
    if (auto kept = keep_newest(timeout_ms); !kept || !*kept) return kept;
    auto done = call(running().get());
    if (done) return true;
    if (renews(done.error())) return false;
    return waits_for(std::move(done.error()));
  }

  void stop() {
    cross_quietly({name_, "stop", {}}, [&] { functions_.stop(running().get()); });
  }

 private:
  Result<void> start_newest() {
    started_ = newest();
    auto started =
        cross_void({name_, "start", {}}, [&](cdcrt_error* error) { return functions_.start(started_.get(), &own_events_, error); });
    has_started_ = started.ok();
    return started;
  }

  Result<bool> keep_newest(uint32_t timeout_ms) {
    if (!renewal_ || host_events_ == nullptr || (has_started_ && newest() == started_)) return true;
    const auto now = Clock::now();
    if (now < starts_again_at_) {
      std::this_thread::sleep_for(std::min<Clock::duration>(starts_again_at_ - now, std::chrono::milliseconds(timeout_ms)));
      return false;
    }
    starts_again_at_ = now + kBetweenStarts;
    stop();
    constexpr std::string_view kText = "reading with what the secrets of the manifest say now";
    host_services()->log(nullptr, CDCRT_LOG_INFO, sdk::borrow(component_), sdk::borrow(kText));
    auto started = start_newest();
    if (started) return true;
    static_cast<void>(renews(started.error()));
    return waits_for(std::move(started.error()));
  }

  /// Whether the next call goes to an instance with other secrets; else `refused` says why not.
  bool renews(Error& refused) { return refused.code == CDCRT_AUTH && renewal_ && renewal_->after_refusal(started_, refused) != started_; }

  [[nodiscard]] Error waits_for(Error error) const {
    if (was_assigned_ && (error.code == CDCRT_AUTH || error.code == CDCRT_UNREACHABLE)) error.code = CDCRT_RETRY;
    return error;
  }

  const cdcrt_source& functions_;
  const std::string name_, component_;
  const cdcrt_source_events* host_events_ = nullptr;
  cdcrt_source_events own_events_{};  // before the instances, which it outlives
  std::shared_ptr<void> self_;
  std::optional<Renewal> renewal_;  // none: the settings do not change
  std::shared_ptr<void> started_;
  bool has_started_ = false, was_assigned_ = false;
  Clock::time_point starts_again_at_{};
};

/// Borrows from `places`.
std::vector<cdcrt_place> places_of(const std::vector<Source::Place>& places) {
  std::vector<cdcrt_place> borrowed(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) borrowed[i] = {sdk::borrow(places[i].topic), places[i].partition, 0, places[i].offset};
  return borrowed;
}

cdcrt_places asked_for(const std::vector<cdcrt_place>& places) {
  return {sizeof(cdcrt_places), sizeof(cdcrt_place), places.data(), places.size()};
}

InstanceOfSource& instance_of(const std::shared_ptr<void>& self) { return *static_cast<InstanceOfSource*>(self.get()); }

/// What a function of the source tells of many places, as far as it does. Why it does not its sister tells, of the one that it is asked
/// for.
template <class As>
auto told_of(InstanceOfSource& source, Callee callee,
             int32_t (*function)(void*, const cdcrt_places*, void (*)(void*, uint64_t, As), void*, cdcrt_error*),
             const std::vector<Source::Place>& places) {
  using Told = std::remove_cv_t<std::remove_pointer_t<As>>;
  std::vector<std::optional<Told>> told(places.size());
  if (function == nullptr || places.empty()) return told;
  const auto answer = [](void* context, uint64_t index, As as) {
    auto& answers = *static_cast<std::vector<std::optional<Told>>*>(context);
    if (index >= answers.size()) return;
    if constexpr (std::is_pointer_v<As>) {
      answers[index] = *as;
    } else {
      answers[index] = as;
    }
  };
  callee.object = places.front().topic;
  const auto borrowed = places_of(places);
  const cdcrt_places asked = asked_for(borrowed);
  (void)source.ask(
      [&](void* self) { return cross_void(callee, [&](cdcrt_error* error) { return function(self, &asked, answer, &told, error); }); });
  return told;
}

}  // namespace

Result<Source> Source::create(const Component& component) {
  Source source;
  source.name_ = name_of(*component.descriptor);
  source.functions_ = static_cast<const cdcrt_source*>(component.descriptor->functions);
  auto self = create_instance(source.functions_, component);
  if (!self) return std::move(self.error());
  source.self_ = std::make_shared<InstanceOfSource>(*source.functions_, component, std::move(*self));
  return source;
}

Result<void> Source::seek(const std::string& topic, int32_t partition, int64_t offset, uint32_t generation) {
  return cross_void({name_, "seek", topic}, [&](cdcrt_error* error) {
    return functions_->seek(instance_of(self_).running().get(), sdk::borrow(topic), partition, offset, generation, error);
  });
}

Result<void> Source::start(const cdcrt_source_events& events) { return instance_of(self_).start(events); }

Result<void> Source::serve() {
  if (functions_->serve == nullptr) return {};
  auto served = instance_of(self_).read(0, [&](void* self) {
    return cross_void({name_, "serve", {}}, [&](cdcrt_error* error) { return functions_->serve(self, error); });
  });
  if (!served) return std::move(served.error());
  return {};
}

Result<void> Source::list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) {
  if (functions_->list == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source cannot list its partitions");
  const auto call = [](void* context, cdcrt_string topic, int32_t partition) -> int32_t {
    return (*static_cast<const std::function<bool(std::string_view, int32_t)>*>(context))(sdk::view(topic), partition) ? 0 : 1;
  };
  void* context = const_cast<std::function<bool(std::string_view, int32_t)>*>(&visit);
  return instance_of(self_).ask([&](void* self) {
    return cross_void({name_, "list", {}}, [&](cdcrt_error* error) { return functions_->list(self, call, context, error); });
  });
}

Result<cdcrt_bounds> Source::bounds(const std::string& topic, int32_t partition) {
  if (functions_->bounds == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source does not know the bounds of a partition");
  cdcrt_bounds bounds{};
  auto done = instance_of(self_).ask([&](void* self) {
    return cross_void({name_, "bounds", topic},
                      [&](cdcrt_error* error) { return functions_->bounds(self, sdk::borrow(topic), partition, &bounds, error); });
  });
  if (!done) return std::move(done.error());
  return bounds;
}

std::vector<std::optional<cdcrt_bounds>> Source::bounds_of(const std::vector<Place>& places) {
  return told_of(instance_of(self_), {name_, "bounds_of", {}}, functions_->bounds_of, places);
}

std::vector<std::optional<int64_t>> Source::start_offsets_of(const std::vector<Place>& places) {
  return told_of(instance_of(self_), {name_, "origins_of", {}}, functions_->origins_of, places);
}

void Source::messages_at(const std::vector<Place>& places, const std::function<void(std::size_t index, const cdcrt_message*)>& visit) {
  if (functions_->messages_at == nullptr || places.empty()) return;
  struct Asked {
    const std::vector<Place>& places;
    const std::function<void(std::size_t, const cdcrt_message*)>& visit;
  } context{places, visit};
  const auto answer = [](void* of, uint64_t index, const cdcrt_message* message) {
    const auto& own = *static_cast<const Asked*>(of);
    // What is not what was asked for counts as no answer.
    if (index >= own.places.size()) return;
    if (message != nullptr && (message->offset != own.places[index].offset || fault_of_message(*message) != nullptr)) return;
    own.visit(index, message);
  };
  const auto borrowed = places_of(places);
  const cdcrt_places asked = asked_for(borrowed);
  const auto self = instance_of(self_).newest();
  (void)cross_void({name_, "messages_at", places.front().topic},
                   [&](cdcrt_error* error) { return functions_->messages_at(self.get(), &asked, answer, &context, error); });
}

Result<int64_t> Source::start_offset(const std::string& topic, int32_t partition) {
  int64_t offset = 0;
  if (functions_->origin == nullptr) return offset;
  auto done = instance_of(self_).ask([&](void* self) {
    return cross_void({name_, "origin", topic},
                      [&](cdcrt_error* error) { return functions_->origin(self, sdk::borrow(topic), partition, &offset, error); });
  });
  if (!done) return std::move(done.error());
  return offset;
}

Result<int64_t> Source::offset_at(const std::string& topic, int32_t partition, int64_t timestamp_ms) {
  if (functions_->offset_at == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source cannot find a message by its time");
  int64_t offset = 0;
  auto done = instance_of(self_).ask([&](void* self) {
    return cross_void({name_, "offset_at", topic}, [&](cdcrt_error* error) {
      return functions_->offset_at(self, sdk::borrow(topic), partition, timestamp_ms, &offset, error);
    });
  });
  if (!done) return std::move(done.error());
  return offset;
}

Result<Poll> Source::poll(uint32_t timeout_ms, Messages& out) {
  out.reset();
  bool is_at_end = false;
  auto polled = instance_of(self_).read(timeout_ms, [&](void* self) -> Result<void> {
    auto code = cross({name_, "poll", {}}, [&](cdcrt_error* error) { return functions_->poll(self, timeout_ms, out.out(), error); });
    if (!code) return std::move(code.error());
    is_at_end = *code == CDCRT_END;
    return {};
  });
  if (!polled) return std::move(polled.error());
  if (!*polled) return Poll::kNothing;
  auto taken = out.take();
  // What nobody decodes only raises a note: messages of a source that keeps none would be lost there.
  if (taken && out.get().partition <= CDCRT_NOTE_PARTITION && out.get().count > 0 && !has(CDCRT_SOURCE_NOTES)) {
    taken = breach("messages of partition " + std::to_string(out.get().partition) + ", where it keeps no notes");
  }
  if (!taken) {
    out.reset();
    return named(name_, std::move(taken.error()));
  }
  if (is_at_end) return Poll::kEnd;
  return out.get().count == 0 ? Poll::kNothing : Poll::kBatch;
}

Result<void> Source::fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last,
                           const std::function<bool(const cdcrt_message&)>& visit) {
  if (functions_->fetch == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source cannot read a message again");
  struct Fetched {
    const std::function<bool(const cdcrt_message&)>& visit;
    int64_t next, last;
    std::string fault;
  } fetched{visit, first, last, {}};
  const auto call = [](void* context, const cdcrt_message* message) -> int32_t {
    auto& own = *static_cast<Fetched*>(context);
    if (message->offset < own.next || message->offset > own.last) {
      own.fault = "it read offset " + std::to_string(message->offset) + ", where " + std::to_string(own.next) + " to " +
                  std::to_string(own.last) + " were asked for";
      return 1;
    }
    if (const char* wrong = fault_of_message(*message)) {
      own.fault = "the message at offset " + std::to_string(message->offset) + " " + wrong;
      return 1;
    }
    own.next = message->offset + 1;
    return own.visit(*message) ? 0 : 1;
  };
  const CallNote note(name_, "fetch", sdk::borrow(topic), partition, first, last);
  const auto self = instance_of(self_).newest();
  auto done = cross_noted(name_, [&](cdcrt_error* error) {
    return functions_->fetch(self.get(), sdk::borrow(topic), partition, first, last, call, &fetched, error);
  });
  if (!fetched.fault.empty()) return named(name_, breach(topic + "[" + std::to_string(partition) + "]: " + fetched.fault));
  if (!done) return std::move(done.error());
  return {};
}

void Source::commit(const std::string& topic, int32_t partition, int64_t offset) {
  if (functions_->commit == nullptr) return;
  cross_quietly({name_, "commit", topic},
                [&] { functions_->commit(instance_of(self_).running().get(), sdk::borrow(topic), partition, offset); });
}

cdcrt_extent Source::extent() {
  cdcrt_extent extent{};
  if (functions_->extent != nullptr)
    cross_quietly({name_, "extent", {}}, [&] { extent = functions_->extent(instance_of(self_).newest().get()); });
  return extent;
}

Result<Source::Survey> Source::survey() {
  Survey found;
  if (functions_->survey == nullptr) return found;
  cdcrt_survey survey{};
  survey.size = sizeof survey;
  survey.context = &found;
  survey.unmet = [](void* context, cdcrt_string key, cdcrt_string entry) {
    static_cast<Survey*>(context)->unmet.emplace_back(sdk::view(key), sdk::view(entry));
  };
  auto asked = instance_of(self_).ask([&](void* self) {
    return cross_void({name_, "survey", {}}, [&](cdcrt_error* error) { return functions_->survey(self, &survey, error); });
  });
  if (!asked) return std::move(asked.error());
  found.left_out = survey.left_out;
  found.files = survey.files;
  return found;
}

void Source::stop() { instance_of(self_).stop(); }

}  // namespace cdcrt::plugin
