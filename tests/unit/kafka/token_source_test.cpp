#include "kafka/token_source.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cdcrt/sdk/base64.hpp"

using namespace cdcrt;
using std::chrono::seconds;
using std::chrono::system_clock;

namespace {

std::string token_of(const std::string& payload) { return "e30." + sdk::encode_base64_url(payload) + ".signature"; }

class File {
 public:
  File() {
    char name[] = "/tmp/cdcrt-token-XXXXXX";
    const int descriptor = ::mkstemp(name);
    ::close(descriptor);
    path_ = name;
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("token: when it expires is read from a JSON Web Token, and from nothing else") {
  CHECK(kafka::expiry_of_token(token_of(R"({"sub":"a","exp":1900000000})")) == system_clock::from_time_t(1900000000));
  CHECK(kafka::expiry_of_token(token_of(R"({"exp":1900000000.5})")) == system_clock::from_time_t(1900000000));
  for (const std::string& other :
       {std::string(), std::string("opaque"), std::string("a.b"), std::string("a.*.c"), token_of("not json"), token_of("[1]"),
        token_of(R"({"exp":"soon"})"), token_of(R"({"exp":-1})"), token_of(R"({"exp":1e300})"), token_of("{}")})
    CHECK_MESSAGE(!kafka::expiry_of_token(other), other);
}

TEST_CASE("token: one that is nested deeper than a stack is no end of the process") {
  constexpr std::size_t kDepth = 700'000;
  CHECK_FALSE(kafka::expiry_of_token(token_of(std::string(kDepth, '['))));
  const std::string nested = std::string(kDepth, '[') + std::string(kDepth, ']');
  CHECK(kafka::expiry_of_token(token_of(R"({"exp":1900000000,"other":)" + nested + "}")) == system_clock::from_time_t(1900000000));
}

TEST_CASE("token file: what another program writes is taken at the next call") {
  const File file;
  const auto source = kafka::tokens_of_file(file.path());
  const auto later = std::to_string(system_clock::to_time_t(system_clock::now() + seconds(600)));
  file.write(token_of("{\"exp\":" + later + "}") + "\n");
  kafka::Token token;
  REQUIRE(source->get(token));
  CHECK(token.text == token_of("{\"exp\":" + later + "}"));
  CHECK(system_clock::to_time_t(token.expires_at) == std::stoll(later));
  file.write("opaque");
  REQUIRE(source->get(token));
  CHECK(token.text == "opaque");
  CHECK(token.expires_at > system_clock::now() + seconds(60));
}

TEST_CASE("token file: what is none says so and shows nothing of it") {
  const File file;
  const auto source = kafka::tokens_of_file(file.path());
  kafka::Token token;
  for (const std::string& wrong : {std::string(), std::string("two planted"), token_of(R"({"exp":1})") + "planted"}) {
    file.write(wrong);
    const auto got = source->get(token);
    CHECK(got.code() == CDCRT_AUTH);
    CHECK(got.message().find(file.path()) != std::string_view::npos);
    CHECK(got.message().find("planted") == std::string_view::npos);
  }
  const auto got = kafka::tokens_of_file("/no/such/token")->get(token);
  CHECK(got.code() == CDCRT_AUTH);
  CHECK(got.message() == "the token file '/no/such/token' cannot be read: No such file or directory");
}

TEST_CASE("token of IAM: a region that nothing names is asked for") {
  ::unsetenv("AWS_REGION");
  ::unsetenv("AWS_DEFAULT_REGION");
  ::setenv("AWS_CONFIG_FILE", "/no/such/file", 1);
  kafka::MskIdentity identity;
  identity.brokers = "kafka1:9098";
  kafka::Token token;
  const auto got = kafka::tokens_of_msk(identity)->get(token);
  CHECK(got.code() == CDCRT_BAD_CONFIG);
  CHECK(got.hint() == "give sasl.region, or set AWS_REGION");
  ::unsetenv("AWS_CONFIG_FILE");
}
