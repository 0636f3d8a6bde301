// Source: base class of source plugins, and the macro that exports one. Header-only, C++17.
//
//   class Ticker : public cdcrt::sdk::Source {
//    public:
//     static constexpr const char* kSummary = "One message a second";       // optional; see descriptor.hpp
//     explicit Ticker(cdcrt::sdk::Host host);                                // optional: to log
//     cdcrt::sdk::Status configure(const cdcrt::sdk::Config& config) override;
//     cdcrt::sdk::Status poll(std::chrono::milliseconds timeout, cdcrt_messages& out) override;
//   };
//   CDCRT_SOURCE("ticker", "1.0.0", Ticker, kOptions)                        // at global scope of one .cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/descriptor.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Reads an input that can be divided into partitions with ascending offsets. Exceptions that leave a member become FATAL
/// errors. One thread calls, except where a member says otherwise. See cdcrt_source for the contract of each call.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// Settings that the option table cannot judge: answer Status::bad_config. Called once, right after construction; touches
  /// nothing outside the process.
  virtual Status configure(const Config& /*config*/) { return {}; }
  virtual Status seek(std::string_view /*topic*/, int32_t /*partition*/, int64_t /*offset*/, uint32_t /*generation*/) {
    return Status::unsupported("this source cannot be positioned");
  }
  /// `events` outlives the instance; sources without GROUPS need not call it.
  virtual Status start(const cdcrt_source_events& /*events*/) { return start(); }
  virtual Status start() { return {}; }
  /// Fills `out` with one batch and its release function (see MessageBatch), or leaves it empty when nothing came within
  /// `timeout`, or answers end_of_input().
  virtual Status poll(std::chrono::milliseconds timeout, cdcrt_messages& out) = 0;
  /// Instead of poll while the host has no room.
  virtual Status serve() { return {}; }
  /// Any one thread, beside poll. `visit` answers false to stop.
  virtual Status fetch(std::string_view /*topic*/, int32_t /*partition*/, int64_t /*first*/, int64_t /*last*/,
                       const std::function<bool(const cdcrt_message&)>& /*visit*/) {
    return Status::unsupported("this source cannot read a message twice");
  }
  virtual void commit(std::string_view /*topic*/, int32_t /*partition*/, int64_t /*offset*/) {}
  /// Any thread.
  [[nodiscard]] virtual cdcrt_extent extent() { return {}; }
  // Sources with CDCRT_SOURCE_GROUPS; any thread, also without start.
  virtual Status list(const std::function<bool(std::string_view topic, int32_t partition)>& /*visit*/) {
    return Status::unsupported("this source cannot list its partitions");
  }
  virtual Status bounds(std::string_view /*topic*/, int32_t /*partition*/, cdcrt_bounds& /*out*/) {
    return Status::unsupported("this source does not know the bounds of a partition");
  }
  virtual Status origin(std::string_view /*topic*/, int32_t /*partition*/, int64_t& offset) {
    offset = 0;
    return {};
  }
  virtual Status offset_at(std::string_view /*topic*/, int32_t /*partition*/, int64_t /*timestamp_ms*/, int64_t& /*offset*/) {
    return Status::unsupported("this source cannot find a message by its time");
  }
  /// Of many partitions what bounds answers of one. `answer` is called for those that could be asked; what is left the host asks singly.
  virtual Status bounds_of(const std::vector<cdcrt_place>& /*places*/,
                           const std::function<void(std::size_t, const cdcrt_bounds&)>& /*answer*/) {
    return {};
  }
  /// The same of what origin answers.
  virtual Status origins_of(const std::vector<cdcrt_place>& /*places*/, const std::function<void(std::size_t, int64_t)>& /*answer*/) {
    return {};
  }
  /// The messages at these offsets, NULL where there is none; what is not answered the host fetches singly. The thread of fetch.
  virtual Status messages_at(const std::vector<cdcrt_place>& /*places*/,
                             const std::function<void(std::size_t, const cdcrt_message*)>& /*answer*/) {
    return {};
  }
  /// Entries of settings (topics) that nothing met go to out.unmet; any thread. See cdcrt_survey.
  virtual Status survey(cdcrt_survey& /*out*/) { return {}; }
  /// Also before start, and twice.
  virtual void stop() {}

 protected:
  static Status end_of_input() { return Status::error(CDCRT_END, "end of input"); }
};

namespace detail {

inline Source* source(void* self) { return static_cast<Source*>(self); }

inline std::vector<cdcrt_place> places_of(const cdcrt_places& given) {
  std::vector<cdcrt_place> places(given.count);
  for (std::size_t i = 0; i < places.size(); ++i)
    places[i] = *reinterpret_cast<const cdcrt_place*>(reinterpret_cast<const char*>(given.places) + i * given.place_size);
  return places;
}

template <class Class>
const cdcrt_source& source_functions() {
  static const cdcrt_source functions = [] {
    cdcrt_source table{};
    table.size = sizeof table;
    table.capabilities = CapabilitiesOf<Class>::value;
    table.create = create_instance<Source, Class>;
    table.seek = [](void* self, cdcrt_string topic, int32_t partition, int64_t offset, uint32_t generation, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->seek(view(topic), partition, offset, generation); });
    };
    table.start = [](void* self, const cdcrt_source_events* events, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->start(*events); });
    };
    table.serve = [](void* self, cdcrt_error* error) { return guard(error, [&] { return source(self)->serve(); }); };
    table.list = [](void* self, int32_t (*visit)(void*, cdcrt_string, int32_t), void* context, cdcrt_error* error) {
      return guard(error, [&] {
        return source(self)->list([&](std::string_view topic, int32_t partition) { return visit(context, borrow(topic), partition) == 0; });
      });
    };
    table.bounds = [](void* self, cdcrt_string topic, int32_t partition, cdcrt_bounds* out, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->bounds(view(topic), partition, *out); });
    };
    table.origin = [](void* self, cdcrt_string topic, int32_t partition, int64_t* offset, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->origin(view(topic), partition, *offset); });
    };
    table.offset_at = [](void* self, cdcrt_string topic, int32_t partition, int64_t timestamp_ms, int64_t* offset, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->offset_at(view(topic), partition, timestamp_ms, *offset); });
    };
    table.poll = [](void* self, uint32_t timeout_ms, cdcrt_messages* out, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->poll(std::chrono::milliseconds(timeout_ms), *out); });
    };
    table.fetch = [](void* self, cdcrt_string topic, int32_t partition, int64_t first, int64_t last,
                     int32_t (*visit)(void*, const cdcrt_message*), void* context, cdcrt_error* error) {
      return guard(error, [&] {
        return source(self)->fetch(view(topic), partition, first, last,
                                   [&](const cdcrt_message& message) { return visit(context, &message) == 0; });
      });
    };
    table.commit = [](void* self, cdcrt_string topic, int32_t partition, int64_t offset) {
      quietly([&] { source(self)->commit(view(topic), partition, offset); });
    };
    table.extent = [](void* self) {
      cdcrt_extent extent{};
      quietly([&] { extent = source(self)->extent(); });
      return extent;
    };
    table.survey = [](void* self, cdcrt_survey* out, cdcrt_error* error) {
      return guard(error, [&] { return source(self)->survey(*out); });
    };
    table.stop = [](void* self) { quietly([&] { source(self)->stop(); }); };
    table.destroy = [](void* self) { quietly([&] { delete source(self); }); };
    table.bounds_of = [](void* self, const cdcrt_places* places, void (*answer)(void*, uint64_t, const cdcrt_bounds*), void* context,
                         cdcrt_error* error) {
      return guard(error, [&] {
        return source(self)->bounds_of(places_of(*places),
                                       [&](std::size_t index, const cdcrt_bounds& bounds) { answer(context, index, &bounds); });
      });
    };
    table.origins_of = [](void* self, const cdcrt_places* places, void (*answer)(void*, uint64_t, int64_t), void* context,
                          cdcrt_error* error) {
      return guard(error, [&] {
        return source(self)->origins_of(places_of(*places), [&](std::size_t index, int64_t offset) { answer(context, index, offset); });
      });
    };
    table.messages_at = [](void* self, const cdcrt_places* places, void (*answer)(void*, uint64_t, const cdcrt_message*), void* context,
                           cdcrt_error* error) {
      return guard(error, [&] {
        return source(self)->messages_at(places_of(*places),
                                         [&](std::size_t index, const cdcrt_message* message) { answer(context, index, message); });
      });
    };
    return table;
  }();
  return functions;
}

template <class Class, class Options>
cdcrt_plugin source_descriptor(const char* name, const char* version, const Options& options) {
  return descriptor<Class>(CDCRT_SOURCE, &source_functions<Class>(), name, version, options);
}

}  // namespace detail
}  // namespace cdcrt::sdk

/// Exports a shared object with one source. `options`: an array of cdcrt_option, or cdcrt::sdk::kNoOptions. Use once, at global scope.
#define CDCRT_SOURCE(name, version, Class, options) CDCRT_SDK_EXPORT(source_descriptor, Class, name, version, options)
