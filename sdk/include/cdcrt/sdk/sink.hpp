// Sink: base classes of sink plugins, and the macro that exports one. Header-only, C++17.
//
//   class Shelf : public cdcrt::sdk::Sink {
//    public:
//     static constexpr const char* kSummary = "Rows on a shelf";            // optional; see descriptor.hpp
//     explicit Shelf(cdcrt::sdk::Host host);                                 // optional: to log
//     cdcrt::sdk::Status configure(const cdcrt::sdk::Config& config) override;
//     cdcrt::sdk::Status open(std::unique_ptr<cdcrt::sdk::SinkConnection>& connection) override;
//     static cdcrt::sdk::OptionTable layout_options();                       // optional: a route's `layout`, see cdcrt_sink
//     static cdcrt::sdk::Status check_layout(const cdcrt::sdk::Config&);     // optional
//   };
//   CDCRT_SINK("shelf", "1.0.0", Shelf, kOptions)                           // at global scope of one .cpp
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/descriptor.hpp"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/option.hpp"
#include "cdcrt/sdk/sink_connection.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/table_description.hpp"

namespace cdcrt::sdk {

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

/// Columns that stand at another distance than ours become the own ones of `parts`. Keep what is answered as long as they are used.
template <class Part>
std::vector<Elements<cdcrt_column>> own_columns(Elements<Part>& parts, uint32_t count) {
  std::vector<Elements<cdcrt_column>> columns;
  for (uint32_t i = 0; i < count; ++i) {
    const Part& part = parts.data()[i];
    if (part.column_size == sizeof(cdcrt_column)) continue;
    columns.emplace_back(part.columns, part.column_count, part.column_size);
    parts.edit()[i].columns = columns.back().data();
    parts.edit()[i].column_size = sizeof(cdcrt_column);
  }
  return columns;
}

template <class Class, class = void>
struct HasLayout : std::false_type {};
template <class Class>
struct HasLayout<Class, std::void_t<decltype(Class::layout_options())>> : std::true_type {};
template <class Class, class = void>
struct ChecksLayout : std::false_type {};
template <class Class>
struct ChecksLayout<Class, std::void_t<decltype(Class::check_layout(std::declval<const Config&>()))>> : std::true_type {};

inline Sink* sink(void* self) { return static_cast<Sink*>(self); }
inline SinkConnection* sink_connection(void* self) { return static_cast<SinkConnection*>(self); }

template <class Class>
const cdcrt_sink& sink_functions() {
  static const cdcrt_sink functions = [] {
    cdcrt_sink table{};
    table.size = sizeof table;
    table.capabilities = CapabilitiesOf<Class>::value;
    table.create = create_instance<Sink, Class>;
    table.capabilities_of = [](void* self) -> uint32_t {
      try {
        return sink(self)->capabilities(CapabilitiesOf<Class>::value);
      } catch (...) {
        return CapabilitiesOf<Class>::value;
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
    table.close = [](void* connection) { quietly([&] { delete sink_connection(connection); }); };
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
        const auto columns = own_columns(own, count);
        return sink_connection(self)->change(*wanted, own.data(), count);
      });
    };
    table.write = [](void* self, const cdcrt_write* write, cdcrt_error* error) {
      return guard(error, [&] {
        const Elements<cdcrt_column> columns(write->columns, write->column_count, write->column_size);
        cdcrt_write own = own_part(write);
        own.columns = columns.data();
        own.column_size = sizeof(cdcrt_column);
        return sink_connection(self)->write(own);
      });
    };
    table.read = [](void* self, const cdcrt_read* read, cdcrt_error* error) {
      return guard(error, [&] {
        const Elements<cdcrt_column> columns(read->columns, read->column_count, read->column_size);
        cdcrt_read own = own_part(read);
        own.columns = columns.data();
        own.column_size = sizeof(cdcrt_column);
        return sink_connection(self)->read(own);
      });
    };
    table.destroy = [](void* self) { quietly([&] { delete sink(self); }); };
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
        const auto columns = own_columns(own, count);
        return sink_connection(self)->read_together(own.data(), count);
      });
    };
    table.expect = [](void* self, const cdcrt_table* tables, uint32_t count, uint32_t fresh, cdcrt_error* error) {
      return guard(error, [&] { return sink_connection(self)->expect(tables, count, fresh != 0); });
    };
    table.clocks = [](void* self, void (*visit)(void*, const cdcrt_clock*), void* context, cdcrt_error* error) {
      return guard(error, [&] {
        std::vector<Clock> clocks;
        Status status = sink_connection(self)->clocks(clocks);
        for (const Clock& clock : clocks) tell(clock, visit, context);
        return status;
      });
    };
    table.limits_of = [](void* self, cdcrt_limits* limits) { sink(self)->limits(*limits); };
    if constexpr (HasLayout<Class>::value) {
      table.layout_options = Class::layout_options().options;
      table.layout_option_count = Class::layout_options().count;
    }
    if constexpr (ChecksLayout<Class>::value) {
      table.check_layout = [](const cdcrt_config* layout, cdcrt_error* error) {
        return guard(error, [&] { return Class::check_layout(Config(*layout)); });
      };
    }
    return table;
  }();
  return functions;
}

template <class Class, class Options>
cdcrt_plugin sink_descriptor(const char* name, const char* version, const Options& options) {
  return descriptor<Class>(CDCRT_SINK, &sink_functions<Class>(), name, version, options);
}

}  // namespace detail
}  // namespace cdcrt::sdk

/// Exports a shared object with one sink. `options`: an array of cdcrt_option, or cdcrt::sdk::kNoOptions. Use once, at global scope.
#define CDCRT_SINK(name, version, Class, options) CDCRT_SDK_EXPORT(sink_descriptor, Class, name, version, options)
