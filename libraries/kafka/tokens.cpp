#include "kafka/tokens.hpp"

#include <librdkafka/rdkafka.h>

namespace cdcrt::kafka {

using std::chrono::system_clock;

sdk::Status Tokens::get(Token& out) {
  const std::lock_guard getting(getting_);
  {
    // Several handles of one process ask at about the same time.
    const std::lock_guard lock(mutex_);
    const auto now = system_clock::now();
    if (!last_.text.empty() && now - made_at_ < (last_.expires_at - made_at_) / 2) {
      out = last_;
      return {};
    }
  }
  auto got = source_->get(out);
  const std::lock_guard lock(mutex_);
  failure_code_ = got.code();
  failure_ = got.message();
  hint_ = got.hint();
  if (!got.ok()) return got;
  last_ = out;
  made_at_ = system_clock::now();
  return {};
}

void Tokens::give(rd_kafka_s* handle) {
  Token token;
  char reason[512] = "";
  if (auto got = get(token); !got.ok()) {
    rd_kafka_oauthbearer_set_token_failure(handle, std::string(got.message()).c_str());
    return;
  }
  std::vector<const char*> extensions;
  for (const auto& [name, value] : extensions_) {
    extensions.push_back(name.c_str());
    extensions.push_back(value.c_str());
  }
  const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(token.expires_at.time_since_epoch()).count();
  const auto code =
      rd_kafka_oauthbearer_set_token(handle, token.text.c_str(), until, "cdcrt", extensions.empty() ? nullptr : extensions.data(),
                                     extensions.size(), reason, sizeof reason);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  // librdkafka's reason may show what of the token it does not like.
  const std::string why = token.expires_at <= system_clock::now() ? "the token has expired" : "librdkafka does not take the token";
  {
    const std::lock_guard lock(mutex_);
    last_ = {};
    failure_code_ = CDCRT_AUTH;
    failure_ = why;
    hint_ = "a token has no characters but letters, digits and -._~+/=";
  }
  rd_kafka_oauthbearer_set_token_failure(handle, why.c_str());
}

void Tokens::refused(rd_kafka_s* handle) {
  {
    const std::unique_lock getting(getting_, std::try_to_lock);
    if (!getting.owns_lock()) return;  // another one is being made
    source_->refused();
    const std::lock_guard lock(mutex_);
    last_ = {};
  }
  rd_kafka_oauthbearer_set_token_failure(handle, kRefused);
}

sdk::Status Tokens::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_code_ == CDCRT_OK ? sdk::Status() : sdk::Status::error(failure_code_, failure_, hint_);
}

}  // namespace cdcrt::kafka
