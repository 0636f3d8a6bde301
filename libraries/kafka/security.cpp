#include "kafka/security.hpp"

#include <algorithm>
#include <array>

#include "aws/uri.hpp"
#include "kafka/security_options.hpp"

namespace cdcrt::kafka {
namespace {

using sdk::Status;

struct Said {
  const char* property;
  const char* option;
};
constexpr Said kSaid[] = {
    {"security.protocol", "tls.enabled"},
    {"ssl.endpoint.identification.algorithm", "tls.verify_hostname"},
    {"ssl.ca.location", "tls.ca"},
    {"ssl.ca.pem", "tls.ca"},
    {"ssl.certificate.location", "tls.certificate"},
    {"ssl.certificate.pem", "tls.certificate"},
    {"ssl.keystore.location", "tls.certificate"},
    {"ssl.key.location", "tls.key"},
    {"ssl.key.pem", "tls.key"},
    {"ssl.key.password", "tls.key_password"},
    {"sasl.mechanisms", "sasl.mechanism"},
    {"sasl.mechanism", "sasl.mechanism"},
    {"sasl.username", "sasl.username"},
    {"sasl.password", "sasl.password"},
    {"sasl.oauthbearer.config", "sasl.token_file"},
    {"sasl.oauthbearer.method", "sasl.token_endpoint"},
    {"enable.sasl.oauthbearer.unsecure.jwt", "sasl.token_file"},
};

constexpr auto kOfPasswords = std::to_array<const char*>({"sasl.username", "sasl.password"});
constexpr auto kOfEndpoint = std::to_array<const char*>({"sasl.client_id", "sasl.client_secret", "sasl.scope", "sasl.token_endpoint_ca"});
constexpr auto kOfMsk = std::to_array<const char*>({"sasl.region", "sasl.profile"});

std::string value_of(const Properties& table, std::string_view name) {
  const auto found = std::find_if(table.rbegin(), table.rend(), [&](const auto& each) { return each.first == name; });
  return found == table.rend() ? std::string() : found->second;
}

/// The first of these options that was given.
template <std::size_t Count>
const char* given(const sdk::Config& config, const std::array<const char*, Count>& keys) {
  const auto* found = std::find_if(keys.begin(), keys.end(), [&](const char* key) { return config.has(key); });
  return found == keys.end() ? nullptr : *found;
}

Status not_of(const char* key, const std::string& mechanism) {
  return Status::bad_config(key, "it does not go with sasl.mechanism = \"" + mechanism + "\"", "leave it out, or choose another mechanism");
}

Status missing(const char* key, const std::string& why, const std::string& hint) { return Status::bad_config(key, why, hint); }

/// Only what was said: a default is nobody's choice.
bool says_anything(const sdk::Config& config) {
  return std::any_of(std::begin(kSecurityOptions), std::end(kSecurityOptions),
                     [&](const cdcrt_option& option) { return option.default_value == nullptr && config.has(option.key); });
}

}  // namespace

Status Security::read(const sdk::Config& config, const std::string& brokers, const Properties& table, const sdk::Host& host) {
  *this = Security();
  is_by_options_ = says_anything(config) || !config.boolean("tls.verify_hostname");
  if (!is_by_options_) {
    table_mechanism_ = value_of(table, "sasl.mechanisms") + value_of(table, "sasl.mechanism");
    warn_of_table(table);
    return {};
  }
  if (auto checked = check_table(table); !checked) return checked;
  has_tls_ = config.has("tls.enabled") ? config.boolean("tls.enabled") : true;
  if (auto read = read_tls(config); !read) return read;
  if (auto read = read_login(config, brokers, host); !read) return read;
  const bool has_login = !mechanism_.empty();
  properties_.emplace_back("security.protocol", has_login ? (has_tls_ ? "SASL_SSL" : "SASL_PLAINTEXT") : (has_tls_ ? "SSL" : "PLAINTEXT"));
  if (has_login && !has_tls_ && mechanism_.rfind("SCRAM", 0) != 0) {
    warnings_.push_back("tls.enabled = false with sasl.mechanism = \"" + mechanism_ +
                        "\": whoever can read the network reads the password or token");
  }
  warn_of_table(table);
  return {};
}

Status Security::check_table(const Properties& table) const {
  for (const auto& [name, value] : table) {
    for (const auto& said : kSaid) {
      if (name == said.property) {
        return Status::bad_config(
            "librdkafka." + name, "options of tls or sasl are given, and then this property is not taken: " + name,
            std::string("say all of it by options, here with ") + said.option + ", or all of it in the librdkafka table");
      }
    }
  }
  return {};
}

void Security::warn_of_table(const Properties& table) {
  const auto is = [&](const char* name, std::string_view wanted) { return value_of(table, name) == wanted; };
  if (is("enable.ssl.certificate.verification", "false"))
    warnings_.emplace_back("enable.ssl.certificate.verification = false: whoever can reach the network can pretend to be the broker");
  if (is("ssl.endpoint.identification.algorithm", "none"))
    warnings_.emplace_back(
        "ssl.endpoint.identification.algorithm = none: whoever has a certificate of the same CA can pretend to be the broker");
}

Status Security::read_tls(const sdk::Config& config) {
  if (!has_tls_) {
    for (const char* key : {"tls.ca", "tls.certificate", "tls.key", "tls.key_password"}) {
      if (config.has(key)) return Status::bad_config(key, "it is given with tls.enabled = false", "leave one of them out");
    }
    return {};
  }
  const bool verifies = config.boolean("tls.verify_hostname");
  properties_.emplace_back("ssl.endpoint.identification.algorithm", verifies ? "https" : "none");
  if (!verifies)
    warnings_.emplace_back("tls.verify_hostname = false: whoever has a certificate of the same CA can pretend to be the broker");
  if (config.has("tls.ca")) {
    std::vector<Certificate> trusted;
    if (auto read = read_certificates("tls.ca", config.string("tls.ca"), trusted); !read) return read;
    properties_.emplace_back("ssl.ca.pem", config.string("tls.ca"));
  }
  if (!config.has("tls.certificate")) {
    for (const char* key : {"tls.key", "tls.key_password"}) {
      if (config.has(key)) return missing("tls.certificate", std::string(key) + " is given without it", "give the certificate of the key");
    }
    return {};
  }
  if (!config.has("tls.key")) return missing("tls.key", "tls.certificate is given without its key", "give both, or none");
  std::vector<Certificate> chain;
  const std::string certificate = config.string("tls.certificate"), key = config.string("tls.key");
  if (auto read = read_certificates("tls.certificate", certificate, chain); !read) return read;
  const std::string password = config.string("tls.key_password");
  if (auto checked = check_key(certificate, key, password); !checked) return checked;
  own_ = std::make_shared<Certificate>(chain.front());
  // As a text, librdkafka before 2.8.0 takes the first certificate alone (its CHANGELOG), and a broker that knows but the root refuses it.
  chain_ = std::make_shared<MemoryFile>(certificate);
  if (chain_->path().empty()) {
    properties_.emplace_back("ssl.certificate.pem", certificate);
  } else {
    properties_.emplace_back("ssl.certificate.location", chain_->path());
  }
  properties_.emplace_back("ssl.key.pem", key);
  if (!password.empty()) properties_.emplace_back("ssl.key.password", password);
  return {};
}

Status Security::read_login(const sdk::Config& config, const std::string& brokers, const sdk::Host& host) {
  if (!config.has("sasl.mechanism")) {
    for (const cdcrt_option& option : kSecurityOptions) {
      if (std::string_view(option.key).rfind("sasl.", 0) == 0 && option.default_value == nullptr && config.has(option.key))
        return missing("sasl.mechanism", std::string(option.key) + " is given without it",
                       "say how to log in, for example sasl.mechanism = \"SCRAM-SHA-512\"");
    }
    return {};
  }
  mechanism_ = config.string("sasl.mechanism");
  const bool has_password = mechanism_ == "PLAIN" || mechanism_.rfind("SCRAM", 0) == 0;
  properties_.emplace_back("sasl.mechanisms", mechanism_ == "AWS_MSK_IAM" ? "OAUTHBEARER" : mechanism_);
  if (!has_password) return read_tokens(config, brokers, host);
  for (const cdcrt_option& option : kSecurityOptions) {
    const std::string_view key = option.key;
    if (key.rfind("sasl.", 0) != 0 || key == "sasl.mechanism" || key == "sasl.username" || key == "sasl.password") continue;
    if (option.default_value == nullptr && config.has(key)) return not_of(option.key, mechanism_);
  }
  for (const char* key : {"sasl.username", "sasl.password"}) {
    if (config.string(key).empty())
      return missing(key, config.has(key) ? "it is empty" : mechanism_ + " needs it", "give sasl.username and sasl.password");
    properties_.emplace_back(key, config.string(key));
  }
  user_ = config.string("sasl.username");
  return {};
}

Status Security::read_tokens(const sdk::Config& config, const std::string& brokers, const sdk::Host& host) {
  if (const char* key = given(config, kOfPasswords)) return not_of(key, mechanism_);
  const auto interrupted = [host] { return host.leaves(); };
  std::unique_ptr<TokenSource> source;
  if (mechanism_ == "AWS_MSK_IAM") {
    for (const char* key : {"sasl.token_file", "sasl.token_endpoint", "sasl.extensions"}) {
      if (config.has(key)) return not_of(key, mechanism_);
    }
    if (const char* key = given(config, kOfEndpoint)) return not_of(key, mechanism_);
    source = tokens_of_msk({config.string("sasl.region"), brokers, config.string("sasl.profile"),
                            std::chrono::duration_cast<std::chrono::seconds>(config.duration("sasl.token_lifetime")), interrupted});
  } else {
    if (const char* key = given(config, kOfMsk)) return not_of(key, mechanism_);
    const bool has_file = config.has("sasl.token_file"), has_endpoint = config.has("sasl.token_endpoint");
    if (has_file == has_endpoint) {
      return missing(has_file ? "sasl.token_file" : "sasl.mechanism",
                     has_file ? "it is given beside sasl.token_endpoint" : "OAUTHBEARER needs to know where tokens come from",
                     "give sasl.token_file, or sasl.token_endpoint with sasl.client_id and sasl.client_secret");
    }
    if (has_file) {
      if (const char* key = given(config, kOfEndpoint))
        return Status::bad_config(key, "it goes with sasl.token_endpoint, not with sasl.token_file");
      source = tokens_of_file(config.string("sasl.token_file"));
    } else {
      aws::Endpoint endpoint;
      TokenEndpoint settings{config.string("sasl.token_endpoint"),    config.string("sasl.client_id"),
                             config.string("sasl.client_secret"),     config.string("sasl.scope"),
                             config.string("sasl.token_endpoint_ca"), interrupted};
      if (!aws::parse_endpoint(settings.url, endpoint))
        return Status::bad_config("sasl.token_endpoint", "it is not the address of a token endpoint",
                                  "for example https://login.example.net/oauth2/token");
      if (endpoint.scheme != "https" && !aws::is_loopback(aws::host_of(endpoint.authority)))
        return Status::bad_config("sasl.token_endpoint", "it is not https: the secret of the client would be readable on its way",
                                  "use the https address");
      for (const char* key : {"sasl.client_id", "sasl.client_secret"}) {
        if (config.string(key).empty()) return missing(key, "sasl.token_endpoint needs it", "give sasl.client_id and sasl.client_secret");
      }
      if (!settings.ca.empty()) {
        std::vector<Certificate> trusted;
        if (auto read = read_certificates("sasl.token_endpoint_ca", settings.ca, trusted); !read) return read;
      }
      source = tokens_of_endpoint(std::move(settings));
    }
  }
  tokens_ = std::make_shared<Tokens>(std::move(source), config.map("sasl.extensions"));
  return {};
}

}  // namespace cdcrt::kafka
