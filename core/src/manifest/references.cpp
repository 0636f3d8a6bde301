#include "manifest/references.hpp"

#include <map>
#include <memory>

#include "aws/secrets_manager.hpp"

namespace cdcrt::manifest {
namespace {

Error to_error(const sdk::Status& status) { return make_error(status.code(), std::string(status.message()), std::string(status.hint())); }

Result<aws::SecretReference> parse(const std::string& reference) {
  aws::SecretReference parsed;
  if (auto status = aws::SecretReference::parse(reference, parsed); !status.ok()) {
    Error error = to_error(status);
    error.config_key = "syntax";
    return error;
  }
  return parsed;
}

class AmazonSecrets {
 public:
  Result<std::string> read(const std::string& reference) {
    auto parsed = parse(reference);
    if (!parsed) return std::move(parsed.error());
    auto known = texts_.find(parsed->id);
    if (known == texts_.end()) known = texts_.emplace(parsed->id, ask(parsed->id)).first;
    if (!known->second) return known->second.error();
    std::string value;
    if (auto status = aws::member_of_secret(*known->second, *parsed, value); !status.ok()) return to_error(status);
    return value;
  }

 private:
  Result<std::string> ask(const std::string& id) {
    if (!manager_) manager_ = std::make_unique<aws::SecretsManager>(aws::default_credentials({}));
    std::string text;
    if (auto status = manager_->get({id, ""}, text); !status.ok()) return to_error(status);
    return text;
  }

  std::unique_ptr<aws::SecretsManager> manager_;
  std::map<std::string, Result<std::string>> texts_;
};

}  // namespace

FindSecret amazon_secrets() {
  return [secrets = std::make_shared<AmazonSecrets>()](const std::string& reference) { return secrets->read(reference); };
}

Result<void> check_secret_reference(const std::string& reference) {
  auto parsed = parse(reference);
  if (!parsed) return std::move(parsed.error());
  return {};
}

}  // namespace cdcrt::manifest
