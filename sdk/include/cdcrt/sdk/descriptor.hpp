// What CDCRT_SOURCE, CDCRT_FORMAT and CDCRT_SINK have in common: how an instance is made, and what a class says of itself.
// Header-only, C++17. Authors include source.hpp, format.hpp or sink.hpp.
//
// A plugin's class may have these public static members:
//
//   static constexpr const char* kSummary;       one line, for `plugin list`
//   static constexpr const char* kLicense;       SPDX
//   static constexpr uint32_t kCapabilities;     sources and sinks
//   static constexpr const char* kNotes;         Markdown for `plugin describe`; or
//   static const char* notes();                  the same, where it is put together
//
// Its constructor takes (const Config&, Host), (Host), (const Config&) or nothing. Settings that the option table cannot judge are
// judged in configure(), which answers Status::bad_config("key", "why").
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/option.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// The option table of a plugin without settings.
inline constexpr std::array<cdcrt_option, 0> kNoOptions{};

namespace detail {

#define CDCRT_SDK_OPTIONAL_CONSTANT(trait, constant, type, fallback) \
  template <class Class, class = void>                               \
  struct trait {                                                     \
    static constexpr type value = fallback;                          \
  };                                                                 \
  template <class Class>                                             \
  struct trait<Class, std::void_t<decltype(Class::constant)>> {      \
    static constexpr type value = Class::constant;                   \
  };
CDCRT_SDK_OPTIONAL_CONSTANT(SummaryOf, kSummary, const char*, "")
CDCRT_SDK_OPTIONAL_CONSTANT(LicenseOf, kLicense, const char*, "")
CDCRT_SDK_OPTIONAL_CONSTANT(NotesOf, kNotes, const char*, nullptr)
CDCRT_SDK_OPTIONAL_CONSTANT(CapabilitiesOf, kCapabilities, uint32_t, 0)
#undef CDCRT_SDK_OPTIONAL_CONSTANT

template <class Class, class = void>
struct WritesNotes : std::false_type {};
template <class Class>
struct WritesNotes<Class, std::void_t<decltype(Class::notes())>> : std::true_type {};

template <class Class>
const char* notes_of() {
  if constexpr (WritesNotes<Class>::value) {
    return Class::notes();
  } else {
    return NotesOf<Class>::value;
  }
}

/// The `create` of all three kinds. `self` receives a Base*.
template <class Base, class Class>
int32_t create_instance(const cdcrt_host* host, const cdcrt_config* config, void** self, cdcrt_error* error) noexcept {
  return guard(error, [&] {
    const Config settings(*config);
    std::unique_ptr<Base> made;
    if constexpr (std::is_constructible_v<Class, const Config&, Host>) {
      made = std::make_unique<Class>(settings, Host(host, settings.name()));
    } else if constexpr (std::is_constructible_v<Class, Host>) {
      made = std::make_unique<Class>(Host(host, settings.name()));
    } else if constexpr (std::is_constructible_v<Class, const Config&>) {
      made = std::make_unique<Class>(settings);
    } else {
      made = std::make_unique<Class>();
    }
    Status status = made->configure(settings);
    if (status.ok()) *self = made.release();
    return status;
  });
}

/// For calls without a result, which cannot report an exception.
template <class Body>
void quietly(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
  } catch (...) {  // the contract of these calls has no error; what failed here shows in the next call that has one
  }
}

template <class Class, class Options>
cdcrt_plugin descriptor(cdcrt_plugin_kind kind, const void* functions, const char* name, const char* version, const Options& options) {
  cdcrt_plugin plugin{};
  plugin.size = sizeof plugin;
  plugin.abi_major = CDCRT_ABI_MAJOR;
  plugin.abi_minor = CDCRT_ABI_MINOR;
  plugin.kind = static_cast<uint32_t>(kind);
  plugin.option_count = static_cast<uint32_t>(std::size(options));
  plugin.name = name;
  plugin.version = version;
  plugin.summary = SummaryOf<Class>::value;
  plugin.license = LicenseOf<Class>::value;
  plugin.options = std::data(options);
  plugin.functions = functions;
  plugin.notes = notes_of<Class>();
  return plugin;
}

}  // namespace detail
}  // namespace cdcrt::sdk

/// The one exported symbol. `describe`: source_descriptor, format_descriptor or sink_descriptor.
#define CDCRT_SDK_EXPORT(describe, Class, name, version, options)                                   \
  extern "C" CDCRT_EXPORT const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {          \
    static const cdcrt_plugin plugin = cdcrt::sdk::detail::describe<Class>(name, version, options); \
    static const cdcrt_plugin* const plugins[] = {&plugin};                                         \
    *count = 1;                                                                                     \
    return plugins;                                                                                 \
  }
