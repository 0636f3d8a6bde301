#include "cli/amazon_secrets.hpp"

#include <map>
#include <memory>
#include <string>

#include "aws/redshift_identity.hpp"
#include "aws/secrets_manager.hpp"

namespace cdcrt::cli {
namespace {

using manifest::Secret;

Error error_of_amazon(const sdk::Status& status) {
  return make_error(status.code(), std::string(status.message()), std::string(status.hint()));
}

template <class Reference>
Result<void> check_reference(const std::string& text) {
  Reference parsed;
  if (auto status = Reference::parse(text, parsed); !status.ok()) return error_of_amazon(status);
  return {};
}

/// What one kind has asked, as the identity of the environment.
class Amazon {
 public:
  Result<Secret> secret(const std::string& text) {
    aws::SecretReference reference;
    if (auto status = aws::SecretReference::parse(text, reference); !status.ok()) return error_of_amazon(status);
    auto known = known_.find(reference.id);
    if (known == known_.end()) known = known_.emplace(reference.id, ask_secret(reference.id)).first;
    return member(known->second, reference);
  }

  Result<Secret> login(const std::string& text) {
    aws::RedshiftReference reference;
    if (auto status = aws::RedshiftReference::parse(text, reference); !status.ok()) return error_of_amazon(status);
    // User and password of one login belong together.
    const std::string id = text.substr(0, text.rfind('#'));
    auto known = known_.find(id);
    if (known == known_.end()) known = known_.emplace(id, ask_login(reference)).first;
    return member(known->second, {id, reference.key});
  }

 private:
  static Result<Secret> member(const Result<Secret>& whole, const aws::SecretReference& reference) {
    if (!whole) return whole.error();
    Secret part{{}, whole->good_until};
    if (auto status = aws::member_of_secret(whole->text, reference, part.text); !status.ok()) return error_of_amazon(status);
    return part;
  }

  std::shared_ptr<aws::CredentialsProvider> credentials() {
    if (!credentials_) credentials_ = aws::default_credentials({});
    return credentials_;
  }

  Result<Secret> ask_secret(const std::string& id) {
    if (!secrets_) secrets_ = std::make_unique<aws::SecretsManager>(credentials());
    Secret secret;
    if (auto status = secrets_->get({id, ""}, secret.text); !status.ok()) return error_of_amazon(status);
    return secret;
  }

  Result<Secret> ask_login(const aws::RedshiftReference& reference) {
    if (!logins_) logins_ = std::make_unique<aws::RedshiftIdentity>(credentials());
    aws::RedshiftLogin login;
    if (auto status = logins_->login(reference, login); !status.ok()) return error_of_amazon(status);
    return Secret{std::move(login.json), login.expires_at};
  }

  std::shared_ptr<aws::CredentialsProvider> credentials_;
  std::unique_ptr<aws::SecretsManager> secrets_;
  std::unique_ptr<aws::RedshiftIdentity> logins_;
  std::map<std::string, Result<Secret>> known_;  ///< by what was asked
};

}  // namespace

std::vector<manifest::SecretKind> amazon_secrets() {
  const auto secrets = std::make_shared<Amazon>(), logins = std::make_shared<Amazon>();
  return {{"aws-sm", "${aws-sm:ID#KEY}", check_reference<aws::SecretReference>,
           [secrets](const std::string& text) { return secrets->secret(text); }},
          {"redshift-iam", "${redshift-iam:CLUSTER/DATABASE/USER#KEY}", check_reference<aws::RedshiftReference>,
           [logins](const std::string& text) { return logins->login(text); }}};
}

}  // namespace cdcrt::cli
