#include "plugin/instance.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "diagnostics/plugin_error.hpp"
#include "diagnostics/text.hpp"
#include "event/cell_check.hpp"
#include "plugin/crossing.hpp"

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

Result<Source> Source::create(const Component& component) {
  Source source;
  source.name_ = name_of(*component.descriptor);
  source.functions_ = static_cast<const cdcrt_source*>(component.descriptor->functions);
  auto self = create_instance(source.functions_, component);
  if (!self) return std::move(self.error());
  source.self_ = std::move(*self);
  return source;
}

Result<void> Source::seek(const std::string& topic, int32_t partition, int64_t offset, uint32_t generation) {
  return cross_void({name_, "seek", topic}, [&](cdcrt_error* error) {
    return functions_->seek(self_.get(), sdk::borrow(topic), partition, offset, generation, error);
  });
}

Result<void> Source::start(const cdcrt_source_events& events) {
  return cross_void({name_, "start", {}}, [&](cdcrt_error* error) { return functions_->start(self_.get(), &events, error); });
}

Result<void> Source::serve() {
  if (functions_->serve == nullptr) return {};
  return cross_void({name_, "serve", {}}, [&](cdcrt_error* error) { return functions_->serve(self_.get(), error); });
}

Result<void> Source::list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) {
  if (functions_->list == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source cannot list its partitions");
  const auto call = [](void* context, cdcrt_string topic, int32_t partition) -> int32_t {
    return (*static_cast<const std::function<bool(std::string_view, int32_t)>*>(context))(sdk::view(topic), partition) ? 0 : 1;
  };
  void* context = const_cast<std::function<bool(std::string_view, int32_t)>*>(&visit);
  return cross_void({name_, "list", {}}, [&](cdcrt_error* error) { return functions_->list(self_.get(), call, context, error); });
}

Result<cdcrt_bounds> Source::bounds(const std::string& topic, int32_t partition) {
  if (functions_->bounds == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source does not know the bounds of a partition");
  cdcrt_bounds bounds{};
  auto done = cross_void({name_, "bounds", topic}, [&](cdcrt_error* error) {
    return functions_->bounds(self_.get(), sdk::borrow(topic), partition, &bounds, error);
  });
  if (!done) return std::move(done.error());
  return bounds;
}

Result<int64_t> Source::start_offset(const std::string& topic, int32_t partition) {
  int64_t offset = 0;
  if (functions_->origin == nullptr) return offset;
  auto done = cross_void({name_, "origin", topic}, [&](cdcrt_error* error) {
    return functions_->origin(self_.get(), sdk::borrow(topic), partition, &offset, error);
  });
  if (!done) return std::move(done.error());
  return offset;
}

Result<int64_t> Source::offset_at(const std::string& topic, int32_t partition, int64_t timestamp_ms) {
  if (functions_->offset_at == nullptr) return make_error(CDCRT_UNSUPPORTED, "the source cannot find a message by its time");
  int64_t offset = 0;
  auto done = cross_void({name_, "offset_at", topic}, [&](cdcrt_error* error) {
    return functions_->offset_at(self_.get(), sdk::borrow(topic), partition, timestamp_ms, &offset, error);
  });
  if (!done) return std::move(done.error());
  return offset;
}

Result<Poll> Source::poll(uint32_t timeout_ms, Messages& out) {
  out.reset();
  auto code = cross({name_, "poll", {}}, [&](cdcrt_error* error) { return functions_->poll(self_.get(), timeout_ms, out.out(), error); });
  if (!code) return std::move(code.error());
  auto taken = out.take();
  // What nobody decodes only raises a note: messages of a source that keeps none would be lost there.
  if (taken && out.get().partition <= CDCRT_NOTE_PARTITION && out.get().count > 0 && !has(CDCRT_SOURCE_NOTES)) {
    taken = breach("messages of partition " + std::to_string(out.get().partition) + ", where it keeps no notes");
  }
  if (!taken) {
    out.reset();
    return named(name_, std::move(taken.error()));
  }
  if (*code == CDCRT_END) return Poll::kEnd;
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
  auto done = cross_noted(name_, [&](cdcrt_error* error) {
    return functions_->fetch(self_.get(), sdk::borrow(topic), partition, first, last, call, &fetched, error);
  });
  if (!fetched.fault.empty()) return named(name_, breach(topic + "[" + std::to_string(partition) + "]: " + fetched.fault));
  if (!done) return std::move(done.error());
  return {};
}

void Source::commit(const std::string& topic, int32_t partition, int64_t offset) {
  if (functions_->commit == nullptr) return;
  cross_quietly({name_, "commit", topic}, [&] { functions_->commit(self_.get(), sdk::borrow(topic), partition, offset); });
}

cdcrt_extent Source::extent() {
  cdcrt_extent extent{};
  if (functions_->extent != nullptr) cross_quietly({name_, "extent", {}}, [&] { extent = functions_->extent(self_.get()); });
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
  auto asked = cross_void({name_, "survey", {}}, [&](cdcrt_error* error) { return functions_->survey(self_.get(), &survey, error); });
  if (!asked) return std::move(asked.error());
  found.left_out = survey.left_out;
  return found;
}

void Source::stop() {
  cross_quietly({name_, "stop", {}}, [&] { functions_->stop(self_.get()); });
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

Result<void> check_layout(const cdcrt_sink& functions, const cdcrt_config& layout) {
  if (functions.check_layout == nullptr) return {};
  return cross_void({"the sink", "check_layout", {}}, [&](cdcrt_error* error) { return functions.check_layout(&layout, error); });
}

/// What a sink needs to be created again with settings read anew.
struct Sink::Renewal {
  /// The instance of now: `refused` when nothing new is known, else one that was created since.
  Result<std::shared_ptr<void>> renew(const cdcrt_sink* functions, const std::shared_ptr<void>& refused);
  /// Likewise, where what the settings hold is about to expire; an error where it has expired and there is nothing else.
  Result<std::shared_ptr<void>> renew_what_expires(const cdcrt_sink* functions, const std::shared_ptr<void>& tried);

  std::mutex mutex;
  plugin::Component component;
  std::string pipeline, process;  ///< of identify(); empty before
  std::shared_ptr<void> current;  ///< those before it live as long as connections of theirs
  std::chrono::steady_clock::time_point asked{};
  std::optional<Error> failure;  ///< of the last reading
};

Result<std::shared_ptr<void>> Sink::Renewal::renew(const cdcrt_sink* functions, const std::shared_ptr<void>& refused) {
  constexpr std::chrono::seconds kAskAgainAfter{10};
  const std::lock_guard lock(mutex);
  if (current != refused) return current;
  const auto now = std::chrono::steady_clock::now();
  if (asked != std::chrono::steady_clock::time_point{} && now - asked < kAskAgainAfter) {
    if (failure) return *failure;
    return refused;
  }
  asked = now;
  failure.reset();
  auto options = component.renew();
  if (!options) {
    failure = options.error();
    return *failure;
  }
  if (options->same_values(component.options)) {
    component.options.good_until = options->good_until;
    return refused;
  }
  plugin::Component fresh = component;
  fresh.options = std::move(*options);
  auto self = create_instance(functions, fresh);
  if (!self) return std::move(self.error());
  if (!process.empty() && functions->identify != nullptr) {
    const std::string name = name_of(*component.descriptor);
    auto identified = cross_void({name, "identify", {}}, [&](cdcrt_error* error) {
      return functions->identify(self->get(), sdk::borrow(pipeline), sdk::borrow(process), error);
    });
    if (!identified) return std::move(identified.error());
  }
  component = std::move(fresh);
  current = std::move(*self);
  return current;
}

Result<std::shared_ptr<void>> Sink::Renewal::renew_what_expires(const cdcrt_sink* functions, const std::shared_ptr<void>& tried) {
  constexpr std::chrono::minutes kRenewBefore{5};
  const auto good_until = [&] {
    const std::lock_guard lock(mutex);
    return component.options.good_until;
  }();
  const auto now = std::chrono::system_clock::now();
  if (!good_until || *good_until - kRenewBefore > now) return tried;
  auto renewed = renew(functions, tried);
  if (renewed) return renewed;
  if (*good_until > now) return tried;
  // An outage of those who give logins is waited for as one of the target is.
  return make_error(CDCRT_RETRY, "the login of sink '" + component.name + "' has expired and cannot be renewed: " + renewed.error().message,
                    renewed.error().hint);
}

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
    sink.renewal_->component = component;
    sink.renewal_->current = std::exchange(sink.self_, nullptr);
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

std::shared_ptr<void> Sink::instance() const {
  if (!renewal_) return self_;
  const std::lock_guard lock(renewal_->mutex);
  return renewal_->current;
}

Result<Connection> Sink::open(const std::shared_ptr<void>& owner) {
  void* connection = nullptr;
  auto result = cross_void({name_, "open", {}}, [&](cdcrt_error* error) { return functions_->open(owner.get(), &connection, error); });
  if (!result) return std::move(result.error());
  return Connection(functions_, name_, owner, connection);
}

Result<Connection> Sink::open() {
  auto tried = instance();
  if (!renewal_) return open(tried);
  auto current = renewal_->renew_what_expires(functions_, tried);
  if (!current) return std::move(current.error());
  tried = std::move(*current);
  auto opened = open(tried);
  if (opened || opened.error().code != CDCRT_AUTH) return opened;
  auto renewed = renewal_->renew(functions_, tried);
  if (!renewed) {
    std::string& hint = opened.error().hint;
    hint += (hint.empty() ? "" : "; ") + std::string("the manifest's secrets could not be read again: ") + explain(renewed.error());
  }
  if (!renewed || *renewed == tried) return opened;
  return open(*renewed);
}

}  // namespace cdcrt::plugin
