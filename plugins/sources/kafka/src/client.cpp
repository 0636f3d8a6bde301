#include "client.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace cdcrt::kafka_source {
namespace {

constexpr uint64_t kRereadMemory = 2 << 20;
// Of each of what may be dozens of them.
constexpr uint64_t kLaneMemory = 512 << 10, kLaneAnswer = 64 << 10;

constexpr int16_t kFetch = 1;  // of the protocol's requests

// How long a fetcher that met a full queue waits before it looks at it again: a fourth of a full queue is not taken in less.
constexpr const char* kLooksAgain = "10";  // milliseconds

uint64_t memory_of(const Settings& settings, Client::Role role) {
  if (role == Client::Role::kLane) return std::min(settings.queue_memory, std::max(settings.queue_memory / 32, kLaneMemory));
  return role == Client::Role::kGroup ? settings.queue_memory : std::min(settings.queue_memory, kRereadMemory);
}

uint64_t answer_of(uint64_t memory) { return std::clamp<uint64_t>(memory / 8, 256 << 10, 50 << 20); }

/// librdkafka's largest answer.
uint64_t largest_answer(const Settings& settings, Client::Role role) {
  return answer_of(role == Client::Role::kLane ? settings.queue_memory : memory_of(settings, role));
}

// A partition that is sought has to wait for the answer on its way, which without messages takes this long. What a lane reads is seldom
// sought, and each of its questions names some hundred partitions.
const char* longest_wait(Client::Role role) {
  switch (role) {
    case Client::Role::kGroup: return "100";
    case Client::Role::kLane: return "1000";
    default: return "10";
  }
}

/// What the operator may override.
Properties defaults(const Settings& settings, Client::Role role) {
  // Half of the memory is for messages that wait to be taken (the bound holds for the queue that all partitions share), the rest
  // for answers on their way, of at most fetch.max.bytes, one a broker, and for what each message costs beside its bytes: the
  // fetcher looks at the bounds before it asks, so that one answer of small messages can go far beyond queued.min.messages.
  // librdkafka counts kilobytes of 1000.
  const uint64_t memory = memory_of(settings, role);
  const uint64_t answer = largest_answer(settings, role);
  const uint64_t of_partition = role == Client::Role::kProbe ? 1 : std::min<uint64_t>(answer, 1 << 20);
  return {
      {"client.id", "cdcrt"},
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"reconnect.backoff.max.ms", "2000"},
      {"fetch.wait.max.ms", longest_wait(role)},
      {"fetch.error.backoff.ms", "100"},
      {"queued.max.messages.kbytes", std::to_string(std::max<uint64_t>(1, memory / 2 / 1000))},
      // Each waiting message costs librdkafka some hundred bytes beside its own.
      {"queued.min.messages", role == Client::Role::kProbe ? "1" : std::to_string(std::clamp<uint64_t>(memory / 1024, 1000, 100000))},
      {"fetch.max.bytes", std::to_string(answer)},
      {"fetch.message.max.bytes", std::to_string(of_partition)},
      // A producer's bound, below which librdkafka does not take fetch.max.bytes. Larger messages still arrive.
      {"message.max.bytes", std::to_string(std::max<uint64_t>(of_partition, 1000))},
  };
}

uint64_t number_of(const rd_kafka_conf_t* configuration, const char* name) {
  char value[32] = "";
  size_t size = sizeof value;
  rd_kafka_conf_get(configuration, name, value, &size);
  return std::strtoull(value, nullptr, 10);
}

std::string text_of(const rd_kafka_conf_t* configuration, const char* name) {
  size_t size = 0;
  if (rd_kafka_conf_get(configuration, name, nullptr, &size) != RD_KAFKA_CONF_OK) return {};
  std::string value(size, '\0');
  rd_kafka_conf_get(configuration, name, value.data(), &size);
  return value.c_str();
}

Properties required(const Settings& settings, Client::Role role) {
  Properties properties = {
      {"bootstrap.servers", settings.brokers},
      {"isolation.level", settings.isolation_level},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", role == Client::Role::kReread || role == Client::Role::kProbe || settings.stops_at_end ? "true" : "false"},
  };
  if (role == Client::Role::kGroup || role == Client::Role::kCommitted) properties.emplace_back("group.id", settings.group);
  if (role == Client::Role::kGroup) {
    if (!settings.instance.empty()) properties.emplace_back("group.instance.id", settings.member());
    properties.emplace_back("partition.assignment.strategy", settings.is_eager ? "range,roundrobin" : "cooperative-sticky");
  }
  return properties;
}

/// The login as it is: to be given once more. None where that could change it.
std::optional<std::pair<std::string, std::string>> login_of(const rd_kafka_conf_t* configuration) {
  std::pair login(text_of(configuration, "sasl.username"), text_of(configuration, "sasl.password"));
  // Kerberos takes an empty user for another one than none.
  const bool is_kerberos =
      text_of(configuration, "security.protocol").rfind("sasl", 0) == 0 && text_of(configuration, "sasl.mechanisms") == "GSSAPI";
  if (is_kerberos && login.first.empty()) return std::nullopt;
  return login;
}

}  // namespace

sdk::Status Client::open(const Settings& settings, Role role, const sdk::Host& host, void* owner, Customize customize,
                         std::unique_ptr<Client>& to, const Properties& more) {
  std::unique_ptr<Client> client(new Client(settings, role, host, owner));
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  char reason[512] = "";
  const auto fail = [&](const std::string& key) {
    rd_kafka_conf_destroy(configuration);
    return sdk::Status::bad_config(key, without_secrets("librdkafka: " + std::string(reason), settings.properties));
  };
  for (const Properties& own : {defaults(settings, role), more}) {
    for (const auto& [name, value] : own) rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason, sizeof reason);
  }
  const bool looks_again = rd_kafka_conf_set(configuration, "fetch.queue.backoff.ms", kLooksAgain, nullptr, 0) == RD_KAFKA_CONF_OK;
  for (const auto& [name, value] : settings.properties) {
    if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK)
      return fail("librdkafka." + name);
  }
  for (const auto& [name, value] : required(settings, role)) {
    if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK) return fail("librdkafka");
  }
  client->watch_ =
      QueueWatch({number_of(configuration, "queued.min.messages"), number_of(configuration, "queued.max.messages.kbytes") * 1000});
  if (!looks_again) client->login_ = login_of(configuration);
  rd_kafka_conf_set_opaque(configuration, client.get());
  rd_kafka_conf_set_log_cb(configuration, [](const rd_kafka_t* handle, int level, const char* facility, const char* text) {
    if (auto* self = static_cast<Client*>(rd_kafka_opaque(handle))) self->diagnostics_.log(level, facility, text);
  });
  rd_kafka_conf_set_error_cb(configuration, [](rd_kafka_t* handle, int code, const char* text, void* opaque) {
    auto* self = static_cast<Client*>(opaque);
    self->diagnostics_.error(code, text);
    if (self->tokens_ && kafka::refusal_of(code, text) == kafka::Refusal::kLogin) self->tokens_->refused(handle);
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE) self->silence_.lost();
  });
  rd_kafka_conf_set_ssl_cert_verify_cb(configuration, [](rd_kafka_t*, const char* broker, int32_t, int* error, int depth, const char* der,
                                                         size_t size, char*, size_t, void* opaque) {
    return static_cast<Client*>(opaque)->diagnostics_.identity().judge(broker, *error, depth, {der, size}) ? 1 : 0;
  });
  // On a thread of librdkafka's own, so that a token is renewed whoever asks for what.
  client->tokens_ = settings.security.tokens();
  if (client->tokens_) {
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(
        configuration, [](rd_kafka_t* handle, const char*, void* opaque) { static_cast<Client*>(opaque)->tokens_->give(handle); });
    rd_kafka_conf_enable_sasl_queue(configuration, 1);
  }
  if (customize != nullptr) customize(configuration);
  const auto on_new = [](rd_kafka_t* handle, const rd_kafka_conf_t*, void* self, char*, size_t) {
    const auto on_answer = [](rd_kafka_t*, int, const char*, int32_t, int16_t request, int16_t, int32_t, size_t size, int64_t,
                              rd_kafka_resp_err_t error, void* of) {
      auto* client_of = static_cast<Client*>(of);
      if (request == kFetch) client_of->received_ += size;
      client_of->join_watch_.answered(request);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) client_of->silence_.answered();
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    };
    const auto on_request = [](rd_kafka_t*, int, const char*, int32_t, int16_t request, int16_t, int32_t, size_t, void* of) {
      static_cast<Client*>(of)->join_watch_.sent(request);
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    };
    const auto code = rd_kafka_interceptor_add_on_request_sent(handle, "cdcrt", on_request, self);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
    return rd_kafka_interceptor_add_on_response_received(handle, "cdcrt", on_answer, self);
  };
  rd_kafka_conf_interceptor_add_on_new(configuration, "cdcrt", on_new, client.get());
  client->handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, reason, sizeof reason);
  if (client->handle_ == nullptr) return fail("librdkafka");
  if (client->tokens_) {
    if (rd_kafka_error_t* error = rd_kafka_sasl_background_callbacks_enable(client->handle_)) rd_kafka_error_destroy(error);
  }
  client->apply_limit();
  to = std::move(client);
  return {};
}

Client::Client(const Settings& settings, Role role, const sdk::Host& host, void* owner)
    : diagnostics_(host, settings.properties), owner_(owner), queue_memory_(settings.queue_memory), memory_(memory_of(settings, role)),
      is_limited_(std::none_of(settings.properties.begin(), settings.properties.end(),
                               [](const auto& each) { return each.first == "fetch.max.bytes"; })),
      limit_(memory_ / 4, role == Role::kLane ? kLaneAnswer : largest_answer(settings, role)), watch_({}) {}

void Client::widen(bool wide) {
  limit_.bound((wide ? queue_memory_ : memory_) / 4, wide ? answer_of(queue_memory_) : kLaneAnswer);
  apply_limit();
}

void Client::taken(QueueWatch::Amount amount, uint64_t waiting) {
  if (amount.messages > 0) {
    const double of_these = static_cast<double>(amount.bytes) / static_cast<double>(amount.messages);
    message_bytes_ += (of_these - message_bytes_) * (message_bytes_ == 0 ? 1 : 0.25);
  }
  const QueueWatch::Amount waits{waiting, static_cast<uint64_t>(static_cast<double>(waiting) * message_bytes_)};
  limit_.taken(amount.bytes);
  if (limit_.measure(received_, waits.bytes)) apply_limit();
  if (watch_.taken(amount, waits)) wake_fetchers();
}

// The thread that fetches from a broker and finds its queue full sleeps until it is asked for something, for up to a second, whatever is
// taken meanwhile (2.0.2: rdkafka_broker.c, rd_kafka_broker_consumer_serve). Of the calls that wake all these threads this is the one that
// changes nothing else: the login, which is the same, counts for connections to come. From 2.2.0 on fetch.queue.backoff.ms says how long
// the thread sleeps, and nobody has to wake it.
void Client::wake_fetchers() {
  if (!login_) return;
  if (rd_kafka_error_t* error = rd_kafka_sasl_set_credentials(handle_, login_->first.c_str(), login_->second.c_str()))
    rd_kafka_error_destroy(error);
}

// The bound of an answer is read from the handle's own configuration for each request (2.0.2: rdkafka_fetcher.c). There is no call that
// sets it later; where a librdkafka does not heed this, its own bound stays.
void Client::apply_limit() {
  if (!is_limited_) return;
  auto* configuration = const_cast<rd_kafka_conf_t*>(rd_kafka_conf(handle_));
  char reason[512] = "";
  rd_kafka_conf_set(configuration, "fetch.max.bytes", std::to_string(limit_.bytes()).c_str(), reason, sizeof reason);
}

Client::~Client() {
  // Closing the group is GroupConsumer's, in bounded time; a destroy that closed it again could wait for a broker for ever.
  if (handle_ != nullptr) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::retire(std::unique_ptr<Client> client, std::chrono::milliseconds timeout) {
  if (!client) return;
  auto destroyed = std::make_shared<std::promise<void>>();
  auto future = destroyed->get_future();
  std::thread([raw = client.release(), destroyed] {
    delete raw;
    destroyed->set_value();
  }).detach();
  future.wait_for(timeout);
}

void Client::listen() { rd_kafka_poll(handle_, 0); }

}  // namespace cdcrt::kafka_source
