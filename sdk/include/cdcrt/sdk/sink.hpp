// Sink: base classes of sink plugins, and the macro that exports one. Header-only, C++17.
//
//   class Shelf : public cdcrt::sdk::Sink {
//    public:
//     static constexpr const char* kSummary = "Rows on a shelf";            // optional; also kLicense, kNotes, kCapabilities
//     Shelf(const cdcrt::sdk::Config& config, cdcrt::sdk::Host host);       // or (const Config&) alone
//     cdcrt::sdk::Status open(std::unique_ptr<cdcrt::sdk::SinkConnection>& connection) override;
//     static cdcrt::sdk::OptionTable layout_options();                       // optional: a route's `layout`, see cdcrt_sink
//     static cdcrt::sdk::Status check_layout(const cdcrt::sdk::Config&);     // optional
//   };
//   CDCRT_SINK("shelf", "1.0.0", Shelf, kOptions)                           // kOptions: array of cdcrt_option
//   CDCRT_SINK("shelf", "1.0.0", Shelf, kOptions, kNotes)                   // with Markdown for `plugin describe`
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/option.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/table_description.hpp"

namespace cdcrt::sdk {

/// One connection, used by one thread at a time; destroying it closes it. Exceptions that leave a member become FATAL errors.
/// See cdcrt_sink for the contract of each call.
class SinkConnection {
 public:
  SinkConnection() = default;
  SinkConnection(const SinkConnection&) = delete;
  SinkConnection& operator=(const SinkConnection&) = delete;
  virtual ~SinkConnection() = default;

  virtual Status begin() { return {}; }
  virtual Status commit() { return {}; }
  virtual Status rollback() { return {}; }
  /// Leaves `out` untouched where the table does not exist.
  virtual Status describe(const cdcrt_table& /*table*/, TableDescription& /*out*/) { return {}; }
  virtual Status change(const cdcrt_table& /*table*/, const cdcrt_change* /*changes*/, uint32_t /*count*/) { return {}; }
  virtual Status write(const cdcrt_write& write) = 0;
  virtual Status read(const cdcrt_read& /*read*/) { return Status::unsupported("this sink cannot be read"); }
  /// Only where the sink says CDCRT_SINK_TABLE_LOCKS.
  virtual Status lock(const cdcrt_table* /*tables*/, uint32_t /*count*/) { return Status::unsupported("this sink locks no tables"); }
  /// By default one after another.
  virtual Status read_together(const cdcrt_read* reads, uint32_t count) {
    Status status;
    for (uint32_t i = 0; i < count && status.ok(); ++i) status = read(reads[i]);
    return status;
  }
  virtual Status expect(const cdcrt_table* /*tables*/, uint32_t /*count*/, bool /*fresh*/) { return {}; }
  /// Only where the sink says CDCRT_SINK_SAVEPOINTS.
  virtual Status savepoint(cdcrt_savepoint /*action*/) { return Status::unsupported("this sink has no savepoints"); }
};

/// A target. open() and capabilities() may be called from any thread.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Settings that the option table cannot judge: answer Status::bad_config. Called once, right after construction; touches
  /// nothing outside the process.
  virtual Status configure(const Config& /*config*/) { return {}; }
  virtual Status open(std::unique_ptr<SinkConnection>& connection) = 0;
  /// For sinks that keep things outside of the target: see cdcrt_sink. Called before open(), from one thread.
  virtual Status identify(std::string_view /*pipeline*/, std::string_view /*process*/) { return {}; }
  /// From any thread, while connections are open.
  virtual Status abandoned(std::string_view /*process*/) { return {}; }
  /// CDCRT_SINK_* bits of this instance; by default those of the class.
  [[nodiscard]] virtual uint32_t capabilities(uint32_t of_class) { return of_class; }
  /// What definitions may not exceed; asked for after capabilities().
  virtual void limits(cdcrt_limits& /*limits*/) {}
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
CDCRT_SDK_OPTIONAL_CONSTANT(sink_summary, kSummary, const char*, "")
CDCRT_SDK_OPTIONAL_CONSTANT(sink_license, kLicense, const char*, "")
CDCRT_SDK_OPTIONAL_CONSTANT(sink_notes, kNotes, const char*, nullptr)
CDCRT_SDK_OPTIONAL_CONSTANT(sink_capabilities, kCapabilities, uint32_t, 0)
#undef CDCRT_SDK_OPTIONAL_CONSTANT

template <class Class, class = void>
struct has_layout : std::false_type {};
template <class Class>
struct has_layout<Class, std::void_t<decltype(Class::layout_options())>> : std::true_type {};
template <class Class, class = void>
struct checks_layout : std::false_type {};
template <class Class>
struct checks_layout<Class, std::void_t<decltype(Class::check_layout(std::declval<const Config&>()))>> : std::true_type {};

inline Sink* sink(void* self) { return static_cast<Sink*>(self); }
inline SinkConnection* sink_connection(void* self) { return static_cast<SinkConnection*>(self); }

template <class Class>
int32_t create_sink(const cdcrt_host* host, const cdcrt_config* config, void** self, cdcrt_error* error) noexcept {
  return guard(error, [&] {
    const Config settings(*config);
    std::unique_ptr<Sink> made;
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

/// Destructors must not throw, but those of plugins are not ours.
template <class Class>
void delete_sink_part(Class* part) noexcept {
  try {
    delete part;
  } catch (...) {  // close and destroy answer nothing
  }
}

template <class Class>
const cdcrt_sink& sink_functions() {
  static const cdcrt_sink functions = [] {
    cdcrt_sink table{};
    table.size = sizeof table;
    table.capabilities = sink_capabilities_t<Class>::value;
    table.create = create_sink<Class>;
    table.capabilities_of = [](void* self) -> uint32_t {
      try {
        return sink(self)->capabilities(sink_capabilities_t<Class>::value);
      } catch (...) {
        return sink_capabilities_t<Class>::value;
      }
    };
    table.open = [](void* self, void** connection, cdcrt_error* error) {
      return guard(error, [&] {
        std::unique_ptr<SinkConnection> made;
        Status status = sink(self)->open(made);
        if (status.ok() && made == nullptr) return Status::fatal("the sink opened no connection");
        if (status.ok()) *connection = made.release();
        return status;
      });
    };
    table.close = [](void* connection) { delete_sink_part(sink_connection(connection)); };
    table.begin = [](void* self, cdcrt_error* error) { return guard(error, [&] { return sink_connection(self)->begin(); }); };
    table.commit = [](void* self, cdcrt_error* error) { return guard(error, [&] { return sink_connection(self)->commit(); }); };
    table.rollback = [](void* self, cdcrt_error* error) { return guard(error, [&] { return sink_connection(self)->rollback(); }); };
    table.describe = [](void* self, const cdcrt_table* wanted, cdcrt_table_description* out, cdcrt_error* error) {
      return guard(error, [&] {
        auto description = std::make_unique<TableDescription>();
        Status status = sink_connection(self)->describe(*wanted, *description);
        if (status.ok()) TableDescription::hand_over(std::move(description), out);
        return status;
      });
    };
    table.change = [](void* self, const cdcrt_table* wanted, const cdcrt_change* changes, uint32_t count, cdcrt_error* error) {
      return guard(error, [&] {
        Elements<cdcrt_change> own(changes, count, count == 0 ? sizeof(cdcrt_change) : changes->size);
        std::vector<Elements<cdcrt_column>> columns;
        for (uint32_t i = 0; i < count; ++i) {
          const cdcrt_change& change = own.data()[i];
          if (change.column_size == sizeof(cdcrt_column)) continue;
          columns.emplace_back(change.columns, change.column_count, change.column_size);
          own.edit()[i].columns = columns.back().data();
        }
        return sink_connection(self)->change(*wanted, own.data(), count);
      });
    };
    table.write = [](void* self, const cdcrt_write* write, cdcrt_error* error) {
      return guard(error, [&] {
        const Elements<cdcrt_column> columns(write->columns, write->column_count, write->column_size);
        cdcrt_write own = own_part(write);
        own.columns = columns.data();
        return sink_connection(self)->write(own);
      });
    };
    table.read = [](void* self, const cdcrt_read* read, cdcrt_error* error) {
      return guard(error, [&] {
        const Elements<cdcrt_column> columns(read->columns, read->column_count, read->column_size);
        cdcrt_read own = own_part(read);
        own.columns = columns.data();
        return sink_connection(self)->read(own);
      });
    };
    table.destroy = [](void* self) { delete_sink_part(sink(self)); };
    table.lock = [](void* self, const cdcrt_table* tables, uint32_t count, cdcrt_error* error) {
      return guard(error, [&] { return sink_connection(self)->lock(tables, count); });
    };
    table.identify = [](void* self, cdcrt_string pipeline, cdcrt_string process, cdcrt_error* error) {
      return guard(error, [&] { return sink(self)->identify(view(pipeline), view(process)); });
    };
    table.abandoned = [](void* self, cdcrt_string process, cdcrt_error* error) {
      return guard(error, [&] { return sink(self)->abandoned(view(process)); });
    };
    table.savepoint = [](void* self, uint32_t action, cdcrt_error* error) {
      return guard(error, [&] { return sink_connection(self)->savepoint(static_cast<cdcrt_savepoint>(action)); });
    };
    table.read_together = [](void* self, const cdcrt_read* reads, uint32_t count, cdcrt_error* error) {
      return guard(error, [&] {
        Elements<cdcrt_read> own(reads, count, count == 0 ? sizeof(cdcrt_read) : reads->size);
        std::vector<Elements<cdcrt_column>> columns;
        for (uint32_t i = 0; i < count; ++i) {
          const cdcrt_read& read = own.data()[i];
          if (read.column_size == sizeof(cdcrt_column)) continue;
          columns.emplace_back(read.columns, read.column_count, read.column_size);
          own.edit()[i].columns = columns.back().data();
        }
        return sink_connection(self)->read_together(own.data(), count);
      });
    };
    table.expect = [](void* self, const cdcrt_table* tables, uint32_t count, uint32_t fresh, cdcrt_error* error) {
      return guard(error, [&] { return sink_connection(self)->expect(tables, count, fresh != 0); });
    };
    table.limits_of = [](void* self, cdcrt_limits* limits) { sink(self)->limits(*limits); };
    if constexpr (has_layout<Class>::value) {
      table.layout_options = Class::layout_options().options;
      table.layout_option_count = Class::layout_options().count;
    }
    if constexpr (checks_layout<Class>::value) {
      table.check_layout = [](const cdcrt_config* layout, cdcrt_error* error) {
        return guard(error, [&] { return Class::check_layout(Config(*layout)); });
      };
    }
    return table;
  }();
  return functions;
}

template <class Class, size_t kCount>
cdcrt_plugin sink_descriptor(const char* name, const char* version, const cdcrt_option (&options)[kCount],
                             const char* notes = sink_notes_t<Class>::value) {
  cdcrt_plugin plugin{};
  plugin.size = sizeof plugin;
  plugin.abi_major = CDCRT_ABI_MAJOR;
  plugin.abi_minor = CDCRT_ABI_MINOR;
  plugin.kind = CDCRT_SINK;
  plugin.option_count = kCount;
  plugin.name = name;
  plugin.version = version;
  plugin.summary = sink_summary_t<Class>::value;
  plugin.license = sink_license_t<Class>::value;
  plugin.options = options;
  plugin.functions = &sink_functions<Class>();
  plugin.notes = notes;
  return plugin;
}

}  // namespace detail
}  // namespace cdcrt::sdk

/// CDCRT_SINK(name, version, Class, options[, notes]) exports a shared object with one sink. Use once, at global scope.
#define CDCRT_SINK(name, version, Class, ...)                                                                       \
  extern "C" CDCRT_EXPORT const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {                          \
    static const cdcrt_plugin plugin = cdcrt::sdk::detail::sink_descriptor<Class>(name, version, __VA_ARGS__);      \
    static const cdcrt_plugin* const plugins[] = {&plugin};                                                         \
    *count = 1;                                                                                                     \
    return plugins;                                                                                                 \
  }
