#include "kafka/pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <ctime>
#include <memory>

namespace cdcrt::kafka {
namespace {

template <auto Free>
struct Deleter {
  template <class Object>
  void operator()(Object* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using X509Pointer = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using NamesPointer = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

Bio reader_of(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string content_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string name_of(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return content_of(out.get());
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string address_of(const ASN1_OCTET_STRING& bytes) {
  std::string text;
  if (bytes.length == 4) {
    for (int i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::to_string(bytes.data[i]);
    return text;
  }
  char group[8];
  for (int i = 0; i + 1 < bytes.length; i += 2) {
    std::snprintf(group, sizeof group, "%s%x", i == 0 ? "" : ":", bytes.data[i] << 8 | bytes.data[i + 1]);
    text += group;
  }
  return text;
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const NamesPointer alternatives(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < (alternatives ? sk_GENERAL_NAME_num(alternatives.get()) : 0); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) {
      names.emplace_back(reinterpret_cast<const char*>(name->d.dNSName->data), static_cast<std::size_t>(name->d.dNSName->length));
    } else if (name->type == GEN_IPADD) {
      names.push_back(address_of(*name->d.iPAddress));
    }
  }
  return names;
}

Certificate describe(X509* certificate) {
  return {name_of(X509_get_subject_name(certificate)), name_of(X509_get_issuer_name(certificate)), names_of(certificate),
          time_of(X509_get0_notBefore(certificate)), time_of(X509_get0_notAfter(certificate))};
}

std::string how_to_give(const std::string& option) {
  return "give the text of the file, which begins with -----BEGIN: " + option + " = \"${file:/path/to/file.pem}\"";
}

struct Password {
  const std::string& text;
  bool was_asked = false;
};

int give_password(char* to, int size, int, void* from) {
  auto& password = *static_cast<Password*>(from);
  password.was_asked = true;
  if (password.text.empty() || password.text.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(to, password.text.data(), password.text.size());
  return static_cast<int>(password.text.size());
}

}  // namespace

sdk::Status read_certificates(const std::string& option, const std::string& pem, std::vector<Certificate>& to) {
  const Bio reader = reader_of(pem);
  while (const X509Pointer certificate{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)})
    to.push_back(describe(certificate.get()));
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (to.empty()) return sdk::Status::bad_config(option, "it holds no certificate in the form of PEM", how_to_give(option));
  if (!is_at_end)
    return sdk::Status::bad_config(option,
                                   "what follows certificate " + std::to_string(to.size()) + " (" + to.back().subject +
                                       ") cannot be read as a certificate in the form of PEM",
                                   "look whether the file was cut or damaged: openssl x509 -in FILE -noout -subject");
  return {};
}

sdk::Status check_key(const std::string& certificates, const std::string& key, const std::string& password) {
  Password given{password};
  const Bio key_reader = reader_of(key);
  const KeyPointer private_key(PEM_read_bio_PrivateKey(key_reader.get(), nullptr, give_password, &given));
  ERR_clear_error();
  if (!private_key && given.was_asked) {
    if (password.empty())
      return sdk::Status::bad_config("tls.key", "the key is encrypted, and no password is given", "give tls.key_password");
    return sdk::Status::bad_config("tls.key_password", "the key cannot be opened with this password",
                                   "check that it is the password of tls.key");
  }
  if (!private_key) return sdk::Status::bad_config("tls.key", "it holds no private key in the form of PEM", how_to_give("tls.key"));
  const Bio reader = reader_of(certificates);
  const X509Pointer certificate(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
  const bool fits = certificate && X509_check_private_key(certificate.get(), private_key.get()) == 1;
  ERR_clear_error();
  if (fits) return {};
  return sdk::Status::bad_config("tls.key", "it is not the key of the first certificate of tls.certificate",
                                 "give the two that were made together; the client's own certificate stands first in its file");
}

Certificate read_certificate(std::string_view der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const X509Pointer certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
  ERR_clear_error();
  return certificate ? describe(certificate.get()) : Certificate();
}

std::string text_of(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

}  // namespace cdcrt::kafka
