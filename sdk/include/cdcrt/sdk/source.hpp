// Source: base class of source plugins, and the macro that exports one. Header-only, C++17.
//
//   class Ticker : public cdcrt::sdk::Source {
//    public:
//     static constexpr const char* kSummary = "One message a second";       // optional; also kLicense, kNotes, kCapabilities
//     Ticker(const cdcrt::sdk::Config& config, cdcrt::sdk::Host host);       // or (const Config&) alone
//     cdcrt::sdk::Status poll(std::chrono::milliseconds timeout, cdcrt_messages& out) override;
//   };
//   CDCRT_SOURCE("ticker", "1.0.0", Ticker, kOptions)                        // kOptions: array of cdcrt_option
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

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
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
  /// Entries of settings (topics) that nothing met go to out.unmet; any thread. See cdcrt_survey.
  virtual Status survey(cdcrt_survey& /*out*/) { return {}; }
  /// Also before start, and twice.
  virtual void stop() {}

 protected:
  static Status end_of_input() { return Status::error(CDCRT_END, "end of input"); }
};

namespace detail {

#define CDCRT_SDK_OPTIONAL_CONSTANT(function, constant, type, fallback) \
  template <class Class, class = void>                                  \
  struct function##_t {                                                 \
    static constexpr type value = fallback;                             \
  };                                                                    \
  template <class Class>                                                \
  struct function##_t<Class, std::void_t<decltype(Class::constant)>> {  \
    static constexpr type value = Class::constant;                      \
  };
CDCRT_SDK_OPTIONAL_CONSTANT(source_summary, kSummary, const char*, "")
CDCRT_SDK_OPTIONAL_CONSTANT(source_license, kLicense, const char*, "")
CDCRT_SDK_OPTIONAL_CONSTANT(source_notes, kNotes, const char*, nullptr)
CDCRT_SDK_OPTIONAL_CONSTANT(source_capabilities, kCapabilities, uint32_t, 0)
#undef CDCRT_SDK_OPTIONAL_CONSTANT

inline Source* source(void* self) { return static_cast<Source*>(self); }

template <class Class>
int32_t create_source(const cdcrt_host* host, const cdcrt_config* config, void** self, cdcrt_error* error) noexcept {
  return guard(error, [&] {
    const Config settings(*config);
    std::unique_ptr<Source> made;
    if constexpr (std::is_constructible_v<Class, const Config&, Host>) {
      made = std::make_unique<Class>(settings, Host(host, settings.name()));
    } else {
      made = std::make_unique<Class>(settings);
    }
    Status status = made->configure(settings);
    if (status.ok()) *self = made.release();
    return status;
  });
}

/// Functions that answer nothing: an exception has nowhere to go.
template <class Body>
void quietly(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
  } catch (...) {  // the contract of these calls has no error; what failed here shows in the next call that has one
  }
}

template <class Class>
const cdcrt_source& source_functions() {
  static const cdcrt_source functions = [] {
    cdcrt_source table{};
    table.size = sizeof table;
    table.capabilities = source_capabilities_t<Class>::value;
    table.create = create_source<Class>;
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
    table.survey = [](void* self, cdcrt_survey* out, cdcrt_error* error) { return guard(error, [&] { return source(self)->survey(*out); }); };
    table.stop = [](void* self) { quietly([&] { source(self)->stop(); }); };
    table.destroy = [](void* self) { quietly([&] { delete source(self); }); };
    return table;
  }();
  return functions;
}

template <class Class, size_t kCount>
cdcrt_plugin source_descriptor(const char* name, const char* version, const cdcrt_option (&options)[kCount]) {
  cdcrt_plugin plugin{};
  plugin.size = sizeof plugin;
  plugin.abi_major = CDCRT_ABI_MAJOR;
  plugin.abi_minor = CDCRT_ABI_MINOR;
  plugin.kind = CDCRT_SOURCE;
  plugin.option_count = kCount;
  plugin.name = name;
  plugin.version = version;
  plugin.summary = source_summary_t<Class>::value;
  plugin.license = source_license_t<Class>::value;
  plugin.options = options;
  plugin.functions = &source_functions<Class>();
  plugin.notes = source_notes_t<Class>::value;
  return plugin;
}

}  // namespace detail
}  // namespace cdcrt::sdk

/// Exports a shared object with one source. Use once, at global scope. (The enumerator of the same name stays usable: a macro
/// with arguments expands only before a parenthesis.)
#define CDCRT_SOURCE(name, version, Class, options)                                                          \
  extern "C" CDCRT_EXPORT const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {                   \
    static const cdcrt_plugin plugin = cdcrt::sdk::detail::source_descriptor<Class>(name, version, options); \
    static const cdcrt_plugin* const plugins[] = {&plugin};                                                  \
    *count = 1;                                                                                              \
    return plugins;                                                                                          \
  }
