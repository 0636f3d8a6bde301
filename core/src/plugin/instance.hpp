// Instances of plugins as C++ values: RAII, Result instead of codes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/clock.hpp"
#include "diagnostics/result.hpp"
#include "plugin/component.hpp"
#include "plugin/format.hpp"
#include "plugin/received.hpp"

namespace cdcrt::plugin {

/// Host services lent to every plugin; valid for the life of the process.
const cdcrt_host* host_services();
/// Sets what host_services()->log writes to; called once, before the first plugin is created.
void set_log(int32_t level, std::function<void(int32_t level, std::string_view component, std::string_view message)> sink);

/// From now on plugins are told that the process stops. Any thread; also in a signal handler.
void announce_stop();

/// What the sink says of a route's layout; BAD_CONFIG names the option.
Result<void> check_layout(const cdcrt_sink& functions, const cdcrt_config& layout);

/// Lets the plugin check its settings: makes an instance and destroys it. Touches nothing outside of the process.
Result<void> check(const Component& component);

/// The sink's settings for commands that only read: it does not create what is missing, such as a database file.
Component looking(const Component& sink, const std::string& pipeline);

enum class Poll : uint8_t { kBatch, kNothing, kEnd };

/// Each call does what cdcrt_source says of it, on the threads that it names. Where servers refuse the credentials, see plugin/source.cpp.
class Source {
 public:
  static Result<Source> create(const Component& component);
  Result<void> seek(const std::string& topic, int32_t partition, int64_t offset, uint32_t generation);
  [[nodiscard]] bool has(uint32_t capability) const { return (functions_->capabilities & capability) != 0; }
  /// `events` must outlive the source.
  Result<void> start(const cdcrt_source_events& events);
  Result<Poll> poll(uint32_t timeout_ms, Messages& out);
  Result<void> serve();
  Result<void> fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last,
                     const std::function<bool(const cdcrt_message&)>& visit);
  void commit(const std::string& topic, int32_t partition, int64_t offset);
  cdcrt_extent extent();
  Result<void> list(const std::function<bool(std::string_view topic, int32_t partition)>& visit);
  Result<cdcrt_bounds> bounds(const std::string& topic, int32_t partition);
  struct Place {
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
  };
  /// bounds() of many, in few requests. Without a value: could not be asked together, bounds() says why.
  std::vector<std::optional<cdcrt_bounds>> bounds_of(const std::vector<Place>& places);
  /// The same of start_offset().
  std::vector<std::optional<int64_t>> start_offsets_of(const std::vector<Place>& places);
  /// The message at each of these offsets, nullptr: there is none. What is not visited could not be asked together: fetch() says why. On
  /// the thread of fetch().
  void messages_at(const std::vector<Place>& places, const std::function<void(std::size_t index, const cdcrt_message*)>& visit);
  Result<int64_t> start_offset(const std::string& topic, int32_t partition);
  Result<int64_t> offset_at(const std::string& topic, int32_t partition, int64_t timestamp_ms);
  /// What was asked for and what was met.
  struct Survey {
    uint64_t left_out = 0;                                   ///< messages that the settings do not want
    uint32_t files = 0;                                      ///< about as many a run has open; 0: not told
    std::vector<std::pair<std::string, std::string>> unmet;  ///< option, entry of it
  };
  Result<Survey> survey();
  void stop();

 private:
  const cdcrt_source* functions_ = nullptr;
  std::string name_;
  std::shared_ptr<void> self_;  ///< an InstanceOfSource
};

class Sink;

/// One connection to a target. One thread at a time. Must die before its Sink.
class Connection {
 public:
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = default;
  Result<void> begin();
  Result<void> commit();
  Result<void> rollback();
  Result<Description> describe(const cdcrt_table& table);
  Result<void> change(const cdcrt_table& table, const std::vector<cdcrt_change>& changes);
  Result<void> write(const cdcrt_write& write);
  Result<void> read(const cdcrt_read& read);
  /// At once where the sink can; none of them locks.
  Result<void> read_together(const std::vector<cdcrt_read>& reads);
  /// See cdcrt_sink: what follows is cheaper then, and right without it.
  Result<void> expect(const std::vector<cdcrt_table>& tables, bool fresh);
  Result<void> lock(const std::vector<cdcrt_table>& tables);
  Result<void> savepoint(cdcrt_savepoint action);
  /// What clocks of other machines say, outside of a transaction; none where the sink has no such question.
  Result<std::vector<sdk::Clock>> clocks();
  /// A rollback failed: what the target holds for this connection ends with it.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  friend class Sink;
  Connection(const cdcrt_sink* functions, std::string name, std::shared_ptr<void> sink, void* self);
  const cdcrt_sink* functions_;
  std::string name_;
  std::shared_ptr<void> sink_;  ///< the instance that opened it; Sink may have a newer one by now
  bool broken_ = false;
  std::unique_ptr<void, void (*)(void*)> self_;
};

/// Any thread.
class Sink {
 public:
  static Result<Sink> create(const Component& component);
  [[nodiscard]] uint32_t capabilities() const { return capabilities_; }
  [[nodiscard]] bool has(uint32_t capability) const { return (capabilities_ & capability) != 0; }
  [[nodiscard]] const cdcrt_limits& limits() const { return limits_; }
  /// Where the target refuses the credentials, the secrets and files of the manifest are read again and tried before that is the answer.
  /// A login that expires is renewed in time; RETRY: it has expired and could not be renewed.
  Result<Connection> open();
  /// See cdcrt_sink; for sinks that keep nothing outside of the target both do nothing.
  Result<void> identify(const std::string& pipeline, const std::string& process);
  Result<void> abandoned(const std::string& process);

 private:
  struct Renewal;
  Result<Connection> open(const std::shared_ptr<void>& owner);
  /// What was created last.
  [[nodiscard]] std::shared_ptr<void> instance() const;
  const cdcrt_sink* functions_ = nullptr;
  std::string name_;
  std::shared_ptr<void> self_;
  std::shared_ptr<Renewal> renewal_;  ///< empty: the settings do not change
  uint32_t capabilities_ = 0;
  cdcrt_limits limits_{};
};

}  // namespace cdcrt::plugin
