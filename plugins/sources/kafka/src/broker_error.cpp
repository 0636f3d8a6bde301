#include "broker_error.hpp"

#include <librdkafka/rdkafka.h>

namespace cdcrt::kafka_source {

std::string partition_name(std::string_view topic, int32_t partition) { return std::string(topic) + "[" + std::to_string(partition) + "]"; }

bool is_transport(int code) {
  return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         code == RD_KAFKA_RESP_ERR__RESOLVE || code == RD_KAFKA_RESP_ERR__WAIT_COORD || code == RD_KAFKA_RESP_ERR__SSL;
}

sdk::Status refused(const Settings& settings, Diagnostics& diagnostics) {
  return kafka::refused(diagnostics.refusal(), settings.brokers, diagnostics.refusal_text(), diagnostics.identity().last(),
                        settings.security);
}

sdk::Status broker_error(int code, const std::string& what, const std::string& text, const Settings& settings, std::string_view topic) {
  const std::string message = what + ": " + (text.empty() ? rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)) : text);
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return kafka::refused(kafka::refusal_of(code, text), settings.brokers, text, {}, settings.security);
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return sdk::Status::error(CDCRT_AUTH, "no right to use the consumer group '" + settings.group + "'",
                                "allow READ on group " + settings.group + " for this user, or name another group with the option group");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return sdk::Status::error(CDCRT_AUTH,
                                "no right to read " + (topic.empty() ? "a topic of " + what : "topic '" + std::string(topic) + "'"),
                                "allow READ and DESCRIBE on the topic for this user");
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return sdk::Status::error(CDCRT_AUTH, message, "allow DESCRIBE on the cluster for this user");
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return sdk::Status::fatal(
          "another process uses instance '" + settings.instance + "' in group '" + settings.group + "'",
          "give every process of the group its own instance (by default the host's name), or instance = \"\" for members "
          "without a fixed name");
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
      if (code == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL) {
        return sdk::Status::fatal(
            "the other members of group '" + settings.group + "' share out the partitions in another way",
            "set the same assignment (cooperative or eager) in every process; other programs need a group of their own");
      }
      return sdk::Status::fatal(message);
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION: return sdk::Status::unsupported(message);
    default: return sdk::Status::retry(message);
  }
}

sdk::Status offset_out_of_range(std::string_view topic, int32_t partition, int64_t wanted, int64_t first, int64_t end) {
  const std::string name = partition_name(topic, partition), offset = std::to_string(wanted);
  const std::string range = "the log holds " + std::to_string(first) + " to " + std::to_string(end) + " (not included)";
  const std::string rewind = "`cdcrt progress rewind --topic " + std::string(topic) + " --to earliest`";
  if (wanted < first) {
    return sdk::Status::fatal(
        name + ": offset " + offset + ", where reading goes on, is no longer in the topic: " + range + "; " +
            std::to_string(first - wanted) + " offset" + (first - wanted == 1 ? " is" : "s are") + " lost",
        "take a new snapshot at the source and run " + rewind +
            ", or accept the gap with the same command; then raise the topic's retention (retention.ms, retention.bytes)");
  }
  return sdk::Status::fatal(
      name + ": offset " + offset + ", where reading goes on, is beyond the end of the topic: " + range,
      "the topic was deleted and made again, or its log was cut after an unclean leader election; to read what is there now run " + rewind +
          ", with --empty where rows that are not in it have to go");
}

sdk::Status made_again(std::string_view topic, int32_t partition, int64_t offset) {
  return sdk::Status::fatal(
      partition_name(topic, partition) + ": the message at offset " + std::to_string(offset) +
          " is not the one that was read: the topic was deleted and made again while it was read; nothing more is read of it",
      "take a new snapshot at the source and run `cdcrt progress rewind --topic " + std::string(topic) +
          " --to earliest`, with --empty where rows that are not in it have to go; without a new snapshot the same command reads what is there now");
}

}  // namespace cdcrt::kafka_source
