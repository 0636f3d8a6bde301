#include "observe/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <utility>

namespace cdcrt::observe {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;

std::string last_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

class OpenSslSession final : public TlsSession {
 public:
  explicit OpenSslSession(SSL_CTX* context) : session_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(session_.get(), in_, out_);  // owns both
    SSL_set_accept_state(session_.get());
  }

  bool receive(std::string_view bytes, std::string& plain) override {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    ERR_clear_error();
    std::array<char, 4096> piece{};
    while (true) {
      const int count = SSL_read(session_.get(), piece.data(), piece.size());
      if (count <= 0) {
        const int why = SSL_get_error(session_.get(), count);
        ERR_clear_error();
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN;
      }
      plain.append(piece.data(), static_cast<std::size_t>(count));
    }
  }

  [[nodiscard]] bool is_at_end() const override { return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

  bool send(std::string_view plain) override {
    if (SSL_is_init_finished(session_.get()) == 0) return false;
    ERR_clear_error();
    return plain.empty() || SSL_write(session_.get(), plain.data(), static_cast<int>(plain.size())) == static_cast<int>(plain.size());
  }

  void close() override {
    (void)SSL_shutdown(session_.get());
    ERR_clear_error();
  }

  std::string take() override {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(out_, &bytes);
    std::string taken(bytes, static_cast<std::size_t>(count));
    (void)BIO_reset(out_);
    return taken;
  }

 private:
  std::unique_ptr<SSL, Free> session_;
  BIO *in_, *out_;
};

class OpenSsl final : public Tls {
 public:
  OpenSsl(std::string certificate, std::string key) : certificate_(std::move(certificate)), key_(std::move(key)) {}

  Result<void> load() {
    const auto bad = [](const char* option, const std::string& file, const std::string& why) {
      Error error = make_error(CDCRT_BAD_CONFIG, file + " cannot be used: " + why, "both are PEM, and the key belongs to the certificate");
      error.config_key = option;
      return error;
    };
    const auto changed = changes();
    Context context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.get(), 0);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_.c_str()) != 1)
      return bad("http_certificate", certificate_, last_error());
    // Never asks at a terminal.
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_.c_str(), SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(context.get()) != 1)
      return bad("http_key", key_, last_error());
    context_ = std::move(context);
    changes_ = changed;
    return {};
  }

  std::unique_ptr<TlsSession> begin() override { return std::make_unique<OpenSslSession>(context_.get()); }

  Result<void> renew() override {
    const auto changed = changes();
    if (changed == changes_ || changed == refused_) return {};
    auto loaded = load();
    if (!loaded) refused_ = changed;  // told once; the two files may be replaced one after the other
    return loaded;
  }

 private:
  using Changes = std::array<int64_t, 4>;
  [[nodiscard]] Changes changes() const {
    Changes found{};
    std::size_t next = 0;
    for (const auto& path : {certificate_, key_}) {
      struct stat file {};
      (void)::stat(path.c_str(), &file);
      found[next++] = file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec;
      found[next++] = static_cast<int64_t>(file.st_ino);
    }
    return found;
  }

  const std::string certificate_, key_;
  Context context_;
  Changes changes_{}, refused_{};
};

}  // namespace

Result<std::unique_ptr<Tls>> Tls::open(const std::string& certificate, const std::string& key) {
  auto tls = std::make_unique<OpenSsl>(certificate, key);
  if (auto loaded = tls->load(); !loaded) return std::move(loaded.error());
  return std::unique_ptr<Tls>(std::move(tls));
}

}  // namespace cdcrt::observe
