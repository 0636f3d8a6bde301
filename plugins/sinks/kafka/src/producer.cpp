#include "producer.hpp"

#include <librdkafka/rdkafka.h>

namespace cdcrt::kafka_sink {
namespace {

using sdk::Status;

constexpr int kOneTryMs = 1000;

// An idempotent producer keeps order and writes nothing twice while it retries; acks=all is part of it.
constexpr std::pair<const char*, const char*> kOwn[] = {
    {"enable.idempotence", "true"}, {"acks", "all"}, {"linger.ms", "1"}, {"client.id", "cdcrt"}};

bool is_owned(const std::string& name) {
  return name == "bootstrap.servers" || name == "metadata.broker.list" || name == "enable.idempotence" || name == "acks" ||
         name == "request.required.acks" || name == "delivery.timeout.ms" || name == "message.timeout.ms";
}

}  // namespace

sdk::Status Producer::open(const Settings& settings) {
  settings_ = settings;
  if (settings.brokers.find('@') != std::string::npos) {
    return Status::bad_config("brokers", "a broker is host:port, and takes no user before an '@'", "give sasl.username and sasl.password");
  }
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  char reason[512] = "";
  const auto fail = [&](const std::string& key, const std::string& message) {
    rd_kafka_conf_destroy(configuration);
    return Status::bad_config(key, message,
                              "the properties are those of CONFIGURATION.md of librdkafka " + std::string(rd_kafka_version_str()));
  };
  for (const auto& [name, value] : kOwn) (void)rd_kafka_conf_set(configuration, name, value, reason, sizeof reason);
  for (const auto& [name, value] : settings.properties) {
    if (is_owned(name)) return fail("librdkafka." + name, "this property belongs to the sink itself: " + name);
    const auto set = rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason, sizeof reason);
    // The value may be a secret: only a property that is not known is told in librdkafka's words.
    if (set == RD_KAFKA_CONF_UNKNOWN) return fail("librdkafka." + name, "librdkafka: " + std::string(reason));
    if (set != RD_KAFKA_CONF_OK) return fail("librdkafka." + name, "librdkafka: the value of " + name + " is not valid");
  }
  for (const auto& [name, value] : settings.security.properties()) {
    const auto set = rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason, sizeof reason);
    if (set != RD_KAFKA_CONF_OK) return fail("librdkafka", "librdkafka does not take " + name + ", which options ask for");
  }
  const std::string timeout = std::to_string(settings.delivery_timeout.count());
  for (const auto& [name, value] :
       {std::pair{"bootstrap.servers", settings.brokers.c_str()}, std::pair{"delivery.timeout.ms", timeout.c_str()}}) {
    if (rd_kafka_conf_set(configuration, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) return fail("brokers", reason);
  }
  rd_kafka_conf_set_opaque(configuration, this);
  rd_kafka_conf_set_log_cb(configuration, [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_conf_set_error_cb(
      configuration, [](rd_kafka_t*, int code, const char* text, void* opaque) { static_cast<Producer*>(opaque)->on_error(code, text); });
  rd_kafka_conf_set_ssl_cert_verify_cb(configuration, [](rd_kafka_t*, const char* broker, int32_t, int* error, int depth, const char* der,
                                                         size_t size, char*, size_t, void* opaque) {
    return static_cast<Producer*>(opaque)->identity_.judge(broker, *error, depth, {der, size}) ? 1 : 0;
  });
  if (settings.security.tokens()) {
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(configuration, [](rd_kafka_t* handle, const char*, void* opaque) {
      static_cast<Producer*>(opaque)->settings_.security.tokens()->give(handle);
    });
    rd_kafka_conf_enable_sasl_queue(configuration, 1);
  }
  rd_kafka_conf_set_dr_msg_cb(configuration, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    auto& self = *static_cast<Producer*>(opaque);
    const std::lock_guard lock(self.mutex_);
    if (self.failed_.empty()) self.failed_ = rd_kafka_err2str(message->err);
  });
  handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, reason, sizeof reason);
  if (handle_ == nullptr) return fail("librdkafka", reason);
  return {};
}

Producer::~Producer() {
  if (handle_ != nullptr) rd_kafka_destroy(handle_);
}

void Producer::on_error(int code, const char* text) {
  const auto refusal = kafka::refusal_of(code, text);
  {
    const std::lock_guard lock(mutex_);
    last_error_ = text;
    if (refusal != kafka::Refusal::kNone) {
      refusal_ = refusal;
      refusal_text_ = text;
    }
  }
  if (refusal == kafka::Refusal::kLogin && settings_.security.tokens()) settings_.security.tokens()->refused(handle_);
}

sdk::Status Producer::refusal() {
  const std::lock_guard lock(mutex_);
  if (refusal_ == kafka::Refusal::kNone) return {};
  return kafka::refused(refusal_, settings_.brokers, refusal_text_, identity_.last(), settings_.security);
}

std::string Producer::last_error() {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

sdk::Status Producer::check() {
  // From now on tokens are asked for.
  if (settings_.security.tokens()) {
    if (rd_kafka_error_t* error = rd_kafka_sasl_background_callbacks_enable(handle_)) rd_kafka_error_destroy(error);
  }
  const auto deadline = std::chrono::steady_clock::now() + settings_.connect_timeout;
  while (true) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto code = rd_kafka_metadata(handle_, 0, nullptr, &metadata, kOneTryMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(metadata);
      const std::lock_guard lock(mutex_);
      refusal_ = kafka::Refusal::kNone;
      return {};
    }
    rd_kafka_poll(handle_, 0);
    if (auto refused = refusal(); !refused) return refused;
    if (std::chrono::steady_clock::now() < deadline) continue;
    const std::string last = last_error();
    return Status::error(CDCRT_UNREACHABLE,
                         "no Kafka broker answers at " + settings_.brokers + ": " + (last.empty() ? rd_kafka_err2str(code) : last),
                         kafka::advice_on_protocol(settings_.security));
  }
}

sdk::Status Producer::produce(const std::string& topic, const RowMessage& message) {
  while (true) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& [name, value] : message.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value ? value->data() : nullptr,
                          value ? static_cast<ssize_t>(value->size()) : 0);
    }
    auto* const key = message.key ? const_cast<char*>(message.key->data()) : nullptr;
    auto* const value = message.value ? const_cast<char*>(message.value->data()) : nullptr;
    const std::size_t key_size = message.key ? message.key->size() : 0, value_size = message.value ? message.value->size() : 0;
    const auto code = rd_kafka_producev(handle_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                        RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, value_size),
                                        RD_KAFKA_V_TIMESTAMP(message.timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    rd_kafka_headers_destroy(headers);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      const std::string text = "cannot write to topic '" + topic + "': " + rd_kafka_err2str(code);
      if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return Status::error(CDCRT_RETRY, text, "raise message.max.bytes in the librdkafka table, and the topic's max.message.bytes");
      return Status::retry(text);
    }
    rd_kafka_poll(handle_, 100);
  }
}

sdk::Status Producer::flush() {
  // Every message is delivered or given up within delivery_timeout.
  const auto code = rd_kafka_flush(handle_, static_cast<int>((settings_.delivery_timeout + std::chrono::seconds(5)).count()));
  std::string failed;
  {
    const std::lock_guard lock(mutex_);
    failed = std::exchange(failed_, {});
  }
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && failed.empty()) failed = rd_kafka_err2str(code);
  if (failed.empty()) {
    const std::lock_guard lock(mutex_);
    refusal_ = kafka::Refusal::kNone;
    return {};
  }
  if (auto refused = refusal(); !refused)
    return Status::retry("Kafka did not acknowledge: " + std::string(refused.message()), std::string(refused.hint()));
  const std::string last = last_error();
  return Status::retry("Kafka did not acknowledge: " + failed + (last.empty() ? "" : " (" + last + ")"));
}

}  // namespace cdcrt::kafka_sink
