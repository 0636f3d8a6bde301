#include "plugin/instance.hpp"

#include <atomic>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/plugin_error.hpp"
#include "diagnostics/text.hpp"
#include "event/cell_check.hpp"
#include "plugin/crossing.hpp"
#include "plugin/renewal.hpp"

namespace cdcrt::plugin {
namespace {

struct Log {
  int32_t level = CDCRT_LOG_INFO;
  std::function<void(int32_t, std::string_view, std::string_view)> sink;
};

std::atomic<bool> stopping{false};

Log& log_state() {
  static Log state;
  return state;
}

/// A read whose rows are looked at before whoever asked for them sees them. Stays where it is while the sink reads.
struct CheckedRead {
  explicit CheckedRead(const cdcrt_read& read) : asked(read), given(read) {
    given.size = sizeof given;
    given.column_size = sizeof(cdcrt_column);
    given.context = this;
    given.visit = [](void* context, const cdcrt_cell* row) { return static_cast<CheckedRead*>(context)->visit(row); };
  }

  int32_t visit(const cdcrt_cell* row) {
    if (row == nullptr) fault = "a row at a NULL pointer";
    for (uint32_t i = 0; i < asked.column_count && fault.empty(); ++i) {
      if (event::is_broken(row[i]))
        fault = "column '" + std::string(sdk::view(asked.columns[i].name)) + "' with " + event::fault_of_cell(row[i]);
    }
    return fault.empty() ? asked.visit(asked.context, row) : 1;
  }

  const cdcrt_read& asked;
  cdcrt_read given;
  std::string fault;
};

Result<void> fault_of(const std::string& name, const CheckedRead& read) {
  if (read.fault.empty()) return {};
  return named(name, breach("of table '" + std::string(sdk::view(read.asked.table.name)) + "' it read " + read.fault));
}

}  // namespace

const cdcrt_host* host_services() {
  static const cdcrt_host host = [] {
    cdcrt_host value{};
    value.size = sizeof value;
    value.abi_major = CDCRT_ABI_MAJOR;
    value.abi_minor = CDCRT_ABI_MINOR;
    value.log_level = &log_state().level;
    value.log = [](void*, int32_t level, cdcrt_string component, cdcrt_string message) {
      const Log& log = log_state();
      if (level >= log.level && log.sink) log.sink(level, sdk::view(component), sdk::view(message));
    };
    value.leaves = [](void*) -> int32_t { return stopping.load(std::memory_order_relaxed) ? 1 : 0; };
    return value;
  }();
  return &host;
}

void announce_stop() { stopping = true; }

void set_log(int32_t level, std::function<void(int32_t, std::string_view, std::string_view)> sink) {
  log_state().level = level;
  log_state().sink = std::move(sink);
}

Result<void> check(const Component& component) {
  const auto checked = [](auto instance) -> Result<void> {
    if (!instance) return std::move(instance.error());
    return {};
  };
  const void* functions = component.descriptor->functions;
  switch (component.descriptor->kind) {
    case CDCRT_SOURCE: return checked(create_instance(static_cast<const cdcrt_source*>(functions), component));
    case CDCRT_FORMAT: return checked(create_instance(static_cast<const cdcrt_format*>(functions), component));
    default: return checked(create_instance(static_cast<const cdcrt_sink*>(functions), component));
  }
}

Component looking(const Component& sink, const std::string& pipeline) {
  Component copy = sink;
  auto values = sink.options.values();
  for (auto& value : values) {
    if (std::string_view(value.option->key) != "look_only") continue;
    value.is_set = true;
    value.integer = 1;
    copy.options = Options(sink.name, pipeline, std::move(values));
    break;
  }
  return copy;
}

Connection::Connection(const cdcrt_sink* functions, std::string name, std::shared_ptr<void> sink, void* self)
    : functions_(functions), name_(std::move(name)), sink_(std::move(sink)),
      self_(new Opened{self, functions_->close, name_}, &close_connection) {}

Result<void> Connection::begin() {
  return cross_void({name_, "begin", {}}, [&](cdcrt_error* error) { return functions_->begin(opened(self_.get()), error); });
}
Result<void> Connection::commit() {
  return cross_void({name_, "commit", {}}, [&](cdcrt_error* error) { return functions_->commit(opened(self_.get()), error); });
}
Result<void> Connection::rollback() {
  auto done = cross_void({name_, "rollback", {}}, [&](cdcrt_error* error) { return functions_->rollback(opened(self_.get()), error); });
  if (!done) broken_ = true;
  return done;
}
Result<Description> Connection::describe(const cdcrt_table& table) {
  Description description;
  auto result = cross_void({name_, "describe", sdk::view(table.name)},
                           [&](cdcrt_error* error) { return functions_->describe(opened(self_.get()), &table, description.out(), error); });
  if (!result) return std::move(result.error());
  if (auto taken = description.take(); !taken) return named(name_, std::move(taken.error()));
  return description;
}
Result<void> Connection::change(const cdcrt_table& table, const std::vector<cdcrt_change>& changes) {
  std::vector<cdcrt_change> sized = changes;
  for (cdcrt_change& change : sized) {
    change.size = sizeof change;
    change.column_size = sizeof(cdcrt_column);
  }
  return cross_void({name_, "change", sdk::view(table.name)}, [&](cdcrt_error* error) {
    return functions_->change(opened(self_.get()), &table, sized.data(), static_cast<uint32_t>(sized.size()), error);
  });
}
Result<void> Connection::write(const cdcrt_write& write) {
  struct Missing {
    const cdcrt_write& write;
    uint64_t fault;
  } missing{write, UINT64_MAX};
  cdcrt_write sized = write;
  sized.size = sizeof sized;
  sized.column_size = sizeof(cdcrt_column);
  const bool lists_missing = write.missing != nullptr, counts = write.overflowed != nullptr;
  if (lists_missing || counts) sized.context = &missing;
  if (lists_missing) {
    sized.missing = [](void* context, uint64_t row) {
      auto& own = *static_cast<Missing*>(context);
      if (row < own.write.row_count) return own.write.missing(own.write.context, row);
      own.fault = row;
    };
  }
  if (counts) {
    sized.overflowed = [](void* context, uint64_t values) {
      const cdcrt_write& own = static_cast<Missing*>(context)->write;
      own.overflowed(own.context, values);
    };
  }
  auto done = cross_void({name_, "write", sdk::view(write.table.name)},
                         [&](cdcrt_error* error) { return functions_->write(opened(self_.get()), &sized, error); });
  if (!done || missing.fault == UINT64_MAX) return done;
  return named(name_, breach("of " + std::to_string(write.row_count) + " rows written to '" + std::string(sdk::view(write.table.name)) +
                             "' it says that row " + std::to_string(missing.fault) + " is missing"));
}
Result<void> Connection::read(const cdcrt_read& read) {
  CheckedRead checked(read);
  auto done = cross_void({name_, "read", sdk::view(read.table.name)},
                         [&](cdcrt_error* error) { return functions_->read(opened(self_.get()), &checked.given, error); });
  return done ? fault_of(name_, checked) : std::move(done);
}
Result<void> Connection::read_together(const std::vector<cdcrt_read>& reads) {
  if (reads.size() > 1 && functions_->read_together != nullptr) {
    std::deque<CheckedRead> checked;
    std::vector<cdcrt_read> given;
    for (const cdcrt_read& each : reads) given.push_back(checked.emplace_back(each).given);
    auto done = cross_void({name_, "read_together", {}}, [&](cdcrt_error* error) {
      return functions_->read_together(opened(self_.get()), given.data(), static_cast<uint32_t>(given.size()), error);
    });
    for (auto read = checked.begin(); done && read != checked.end(); ++read) done = fault_of(name_, *read);
    return done;
  }
  for (const cdcrt_read& each : reads) {
    if (auto done = read(each); !done) return done;
  }
  return {};
}
Result<void> Connection::expect(const std::vector<cdcrt_table>& tables, bool fresh) {
  if (functions_->expect == nullptr || tables.empty()) return {};
  return cross_void({name_, "expect", {}}, [&](cdcrt_error* error) {
    return functions_->expect(opened(self_.get()), tables.data(), static_cast<uint32_t>(tables.size()), fresh ? 1 : 0, error);
  });
}
Result<void> Connection::lock(const std::vector<cdcrt_table>& tables) {
  if (functions_->lock == nullptr) return make_error(CDCRT_FATAL, "the sink says that it locks tables, and has no function for it");
  return cross_void({name_, "lock", {}}, [&](cdcrt_error* error) {
    return functions_->lock(opened(self_.get()), tables.data(), static_cast<uint32_t>(tables.size()), error);
  });
}

Result<void> Connection::savepoint(cdcrt_savepoint action) {
  if (functions_->savepoint == nullptr)
    return make_error(CDCRT_FATAL, "the sink says that it has savepoints, and has no function for them");
  return cross_void({name_, "savepoint", {}},
                    [&](cdcrt_error* error) { return functions_->savepoint(opened(self_.get()), action, error); });
}

Result<std::vector<sdk::Clock>> Connection::clocks() {
  struct Told {
    std::vector<sdk::Clock> clocks;
    std::string fault;
  } told;
  if (functions_->clocks == nullptr) return std::move(told.clocks);
  const auto visit = [](void* context, const cdcrt_clock* given) {
    auto& into = *static_cast<Told*>(context);
    if (given == nullptr || given->size < sizeof(cdcrt_clock)) {
      into.fault = "a clock that is none";
      return;
    }
    const std::string_view owner = sdk::view(given->owner);
    constexpr int64_t kFar = INT64_MAX / 4;
    const bool is_length = given->accuracy_us >= 0 && given->accuracy_us < kFar && given->allowed_us >= 0 && given->allowed_us < kFar;
    if (owner.empty() || sdk::find_invalid_utf8(owner) != std::string_view::npos || !is_length || given->ahead_us <= -kFar ||
        given->ahead_us >= kFar) {
      into.fault = "a clock without an owner, or with times that no clock has";
      return;
    }
    using std::chrono::microseconds;
    into.clocks.push_back(
        {std::string(owner), microseconds(given->ahead_us), microseconds(given->accuracy_us), microseconds(given->allowed_us)});
  };
  auto asked =
      cross_void({name_, "clocks", {}}, [&](cdcrt_error* error) { return functions_->clocks(opened(self_.get()), visit, &told, error); });
  if (!asked) return std::move(asked.error());
  if (!told.fault.empty()) return named(name_, breach("it tells of " + told.fault));
  return std::move(told.clocks);
}

Result<void> check_layout(const cdcrt_sink& functions, const cdcrt_config& layout) {
  if (functions.check_layout == nullptr) return {};
  return cross_void({"the sink", "check_layout", {}}, [&](cdcrt_error* error) { return functions.check_layout(&layout, error); });
}

/// What a sink needs to be created again with settings read anew.
struct Sink::Renewal {
  std::mutex mutex;
  std::string pipeline, process;  ///< of identify(); empty before
  std::unique_ptr<plugin::Renewal> newest;
};

Result<Sink> Sink::create(const Component& component) {
  Sink sink;
  sink.name_ = name_of(*component.descriptor);
  sink.functions_ = static_cast<const cdcrt_sink*>(component.descriptor->functions);
  auto self = create_instance(sink.functions_, component);
  if (!self) return std::move(self.error());
  sink.self_ = std::move(*self);
  sink.capabilities_ =
      sink.functions_->capabilities_of != nullptr ? sink.functions_->capabilities_of(sink.self_.get()) : sink.functions_->capabilities;
  sink.limits_.size = sizeof sink.limits_;
  if (sink.functions_->limits_of != nullptr) sink.functions_->limits_of(sink.self_.get(), &sink.limits_);
  if (component.renew) {
    sink.renewal_ = std::make_shared<Renewal>();
    const auto create = [functions = sink.functions_, name = sink.name_,
                         &told = *sink.renewal_](const Component& fresh) -> Result<std::shared_ptr<void>> {
      auto instance = create_instance(functions, fresh);
      const std::lock_guard lock(told.mutex);
      if (!instance || told.process.empty() || functions->identify == nullptr) return instance;
      auto identified = cross_void({name, "identify", {}}, [&](cdcrt_error* error) {
        return functions->identify(instance->get(), sdk::borrow(told.pipeline), sdk::borrow(told.process), error);
      });
      if (!identified) return std::move(identified.error());
      return instance;
    };
    sink.renewal_->newest = std::make_unique<plugin::Renewal>(component, std::exchange(sink.self_, nullptr), create);
  }
  return sink;
}

Result<void> Sink::identify(const std::string& pipeline, const std::string& process) {
  if (functions_->identify == nullptr) return {};
  if (renewal_) {
    const std::lock_guard lock(renewal_->mutex);
    renewal_->pipeline = pipeline;
    renewal_->process = process;
  }
  return cross_void({name_, "identify", {}}, [&](cdcrt_error* error) {
    return functions_->identify(instance().get(), sdk::borrow(pipeline), sdk::borrow(process), error);
  });
}

Result<void> Sink::abandoned(const std::string& process) {
  if (functions_->abandoned == nullptr) return {};
  return cross_void({name_, "abandoned", {}},
                    [&](cdcrt_error* error) { return functions_->abandoned(instance().get(), sdk::borrow(process), error); });
}

std::shared_ptr<void> Sink::instance() const { return renewal_ ? renewal_->newest->current() : self_; }

Result<Connection> Sink::open(const std::shared_ptr<void>& owner) {
  void* connection = nullptr;
  auto result = cross_void({name_, "open", {}}, [&](cdcrt_error* error) { return functions_->open(owner.get(), &connection, error); });
  if (!result) return std::move(result.error());
  return Connection(functions_, name_, owner, connection);
}

Result<Connection> Sink::open() {
  auto tried = instance();
  if (!renewal_) return open(tried);
  auto current = renewal_->newest->renew_what_expires(tried);
  if (!current) return std::move(current.error());
  tried = std::move(*current);
  auto opened = open(tried);
  if (opened || opened.error().code != CDCRT_AUTH) return opened;
  const auto renewed = renewal_->newest->after_refusal(tried, opened.error());
  return renewed == tried ? std::move(opened) : open(renewed);
}

}  // namespace cdcrt::plugin
