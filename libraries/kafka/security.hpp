// Security: what a manifest says about TLS and the login of a Kafka source or sink.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/status.hpp"
#include "kafka/memory_file.hpp"
#include "kafka/pem.hpp"
#include "kafka/tokens.hpp"

struct rd_kafka_conf_s;

namespace cdcrt::kafka {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// Read once, then constant; any thread. A copy shares tokens and files.
class Security {
 public:
  /// The options of kSecurityOptions. `table`: the option `librdkafka`, which may not say the same once more. BAD_CONFIG with the option
  /// and what to do. Touches nothing outside of the process; tokens are asked for by the first connection.
  sdk::Status read(const sdk::Config& config, const std::string& brokers, const Properties& table, const sdk::Host& host);

  /// For librdkafka. They hold secrets.
  [[nodiscard]] const Properties& properties() const { return properties_; }
  /// Null: no OAUTHBEARER by options.
  [[nodiscard]] const std::shared_ptr<Tokens>& tokens() const { return tokens_; }
  /// What is unsafe and was asked for; for the log.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  // Of how to connect, for messages.
  [[nodiscard]] bool has_tls() const { return has_tls_; }
  [[nodiscard]] const std::string& mechanism() const { return mechanism_; }              ///< empty: no login by options
  [[nodiscard]] const std::string& table_mechanism() const { return table_mechanism_; }  ///< of the properties of librdkafka
  [[nodiscard]] const std::string& user() const { return user_; }
  /// This client's own certificate; null: none by options.
  [[nodiscard]] const Certificate* certificate() const { return own_ ? own_.get() : nullptr; }
  /// Options of this class were given, and not properties of librdkafka in their place.
  [[nodiscard]] bool is_by_options() const { return is_by_options_; }

 private:
  sdk::Status read_tls(const sdk::Config& config);
  sdk::Status read_login(const sdk::Config& config, const std::string& brokers, const sdk::Host& host);
  sdk::Status read_tokens(const sdk::Config& config, const std::string& brokers, const sdk::Host& host);
  [[nodiscard]] sdk::Status check_table(const Properties& table) const;
  void warn_of_table(const Properties& table);

  Properties properties_;
  std::shared_ptr<Tokens> tokens_;
  std::shared_ptr<MemoryFile> chain_;
  std::shared_ptr<Certificate> own_;
  std::vector<std::string> warnings_;
  std::string mechanism_, table_mechanism_, user_;
  bool has_tls_ = false, is_by_options_ = false;
};

}  // namespace cdcrt::kafka
