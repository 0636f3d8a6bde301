// Client: one handle of librdkafka.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics.hpp"
#include "fetch_limit.hpp"
#include "join_watch.hpp"
#include "queue_watch.hpp"
#include "settings.hpp"
#include "silence.hpp"

struct rd_kafka_s;
struct rd_kafka_conf_s;

namespace cdcrt::kafka_source {

/// Connects by itself in the background. The handle may be used from any thread; it is destroyed with the client.
class Client {
 public:
  enum class Role {
    kGroup,      // member of the consumer group
    kLane,       // fetches a part of what the group was given
    kCommitted,  // reads what the group has committed, without joining it
    kLookup,     // metadata and offsets
    kReread,     // stretches, again
    kProbe       // single messages, again
  };
  /// Called with the configuration before the handle is made.
  using Customize = void (*)(rd_kafka_conf_s*);

  /// BAD_CONFIG where librdkafka refuses the properties together. `more`: what the operator may override, beside what each role has.
  static sdk::Status open(const Settings& settings, Role role, const sdk::Host& host, void* owner, Customize customize,
                          std::unique_ptr<Client>& to, const Properties& more = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] rd_kafka_s* get() const { return handle_; }
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
  [[nodiscard]] Silence& silence() { return silence_; }
  [[nodiscard]] const JoinWatch& join_watch() const { return join_watch_; }
  /// Destroys it, in the background where that takes longer than `timeout`.
  static void retire(std::unique_ptr<Client> client, std::chrono::milliseconds timeout = std::chrono::seconds(2));
  /// Never destroys it: the handle's threads go on until the process ends.
  static void abandon(std::unique_ptr<Client> client) { (void)client.release(); }
  /// Lets librdkafka tell what went wrong since. Not for kGroup, which tells while it is served.
  void listen();
  /// `amount` was taken, and `waiting` messages can be taken at once. Moves the limit of what is asked for at once, and wakes whoever
  /// stopped fetching because too much waited.
  void taken(QueueWatch::Amount amount, uint64_t waiting);
  /// A lane may ask for much at once, or for little, as at the beginning.
  void widen(bool wide);
  /// Whoever stopped fetching, at a full queue or with nothing to ask for, looks again at once (librdkafka before 2.2).
  void wake_fetchers();
  /// Of a callback's opaque pointer.
  template <class Owner>
  static Owner& owner(void* opaque) {
    return *static_cast<Owner*>(static_cast<Client*>(opaque)->owner_);
  }

 private:
  void apply_limit();
  Client(const Settings& settings, Role role, const sdk::Host& host, void* owner);

  Diagnostics diagnostics_;
  void* owner_;
  rd_kafka_s* handle_ = nullptr;
  const uint64_t queue_memory_, memory_;  // of all clients of the group, of this one
  bool is_limited_;
  FetchLimit limit_;
  std::shared_ptr<kafka::Tokens> tokens_;
  std::optional<std::pair<std::string, std::string>> login_;  // where fetchers have to be woken
  QueueWatch watch_;
  double message_bytes_ = 0;  // about
  Silence silence_;
  JoinWatch join_watch_;
  std::atomic<uint64_t> received_{0};  // bytes of answers with messages
};

}  // namespace cdcrt::kafka_source
