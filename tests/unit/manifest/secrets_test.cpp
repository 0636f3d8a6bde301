// References to secrets, with what they ask replaced.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>

#include "diagnostics/renderer.hpp"
#include "manifest/workspace.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

namespace {

std::string with_password(const std::string& value) {
  std::string text = kSound;
  text.replace(text.find("\"hunter2\""), 9, value);
  return text;
}

using Read = std::function<Result<manifest::Secret>(const std::string&)>;

/// One kind of secrets, "aws-sm", read by `read`; a name with a blank in it is none.
void set_kind(manifest::LoadRequest& request, Read read) {
  request.secret_kinds = [read = std::move(read)] {
    const auto check = [](const std::string& reference) -> Result<void> {
      if (reference.find(' ') != std::string::npos) return make_error(CDCRT_BAD_CONFIG, "no name of a secret");
      return {};
    };
    return std::vector<manifest::SecretKind>{{"aws-sm", "${aws-sm:ID#KEY}", check, read}};
  };
}

std::string password_of(const plugin::Options& options) {
  for (const auto& value : options.values())
    if (std::string(value.option->key) == "connection") return value.strings.at(3);
  return "(none)";
}

}  // namespace

TEST_CASE("secrets: a reference becomes the secret's text, once") {
  const Workspace workspace;
  auto request = request_for({workspace.write("shop.toml", with_password("\"<${aws-sm:shop/rs#password}>\""))});
  std::vector<std::string> asked;
  set_kind(request, [&](const std::string& reference) -> Result<manifest::Secret> {
    asked.push_back(reference);
    return manifest::Secret{"${env:HOME}\"$$", {}};
  });
  const auto loaded = manifest::load(request);
  REQUIRE_MESSAGE(loaded.manifest, diagnostics::render(loaded.diagnostics, *loaded.texts, false));
  CHECK(asked == std::vector<std::string>{"shop/rs#password"});
  CHECK(password_of(loaded.manifest->sinks[0].options) == "<${env:HOME}\"$$>");
}

TEST_CASE("secrets: one that cannot be read is an error of the environment at its place, with the advice, and its line shows no value") {
  const Workspace workspace;
  auto request = request_for({workspace.write("shop.toml", with_password("\"${aws-sm:shop/rs#password}\""))});
  set_kind(request, [](const std::string&) -> Result<manifest::Secret> {
    return make_error(CDCRT_BAD_CONFIG, "secret 'shop/rs' does not exist in region eu-west-1", "check its name");
  });
  const auto loaded = manifest::load(request);
  CHECK(!loaded.manifest);
  CHECK(loaded.environment_error);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].code == "E0307");
  CHECK(loaded.diagnostics[0].position.line == 9);
  const auto text = diagnostics::render(loaded.diagnostics, *loaded.texts, false);
  CHECK(text.find("secret 'shop/rs' does not exist in region eu-west-1") != std::string::npos);
  CHECK(text.find("help: check its name") != std::string::npos);
}

TEST_CASE("secrets: a check of the manifest asks for none, and still refuses what names none") {
  const Workspace workspace;
  bool asked = false;
  const auto check = [&](const std::string& value) {
    auto request = request_for({workspace.write("shop.toml", with_password(value))});
    request.read_secrets = false;
    set_kind(request, [&](const std::string&) -> Result<manifest::Secret> {
      asked = true;
      return manifest::Secret{"x", {}};
    });
    return manifest::load(request);
  };
  CHECK(check("\"${aws-sm:shop/rs#password}\"").manifest);
  const auto wrong = check("\"${aws-sm:shop rs}\"");
  REQUIRE(wrong.diagnostics.size() == 1);
  CHECK(wrong.diagnostics[0].code == "E0304");
  CHECK(!asked);
}

TEST_CASE("secrets: a sink can read its settings again where a secret or a file may have changed, and only there") {
  const Workspace workspace;
  std::string secret = "old";
  auto request = request_for({workspace.write("shop.toml", with_password("\"${aws-sm:shop/rs}\""))});
  set_kind(request, [&](const std::string&) -> Result<manifest::Secret> {
    if (secret.empty()) return make_error(CDCRT_RETRY, "503");
    return manifest::Secret{secret, {}};
  });
  const auto loaded = manifest::load(request);
  REQUIRE(loaded.manifest);
  const auto& sink = loaded.manifest->sinks[0];
  REQUIRE(sink.renew);
  CHECK(sink.renew()->same_values(sink.options));
  secret = "new";
  const auto renewed = sink.renew();
  REQUIRE(renewed);
  CHECK(!renewed->same_values(sink.options));
  CHECK(password_of(*renewed) == "new");
  secret = "";
  const auto unread = sink.renew();
  REQUIRE(!unread);
  CHECK(unread.error().message == "503");

  const auto file = workspace.write("password", "from file\n");
  const auto by_file = manifest::load(request_for({workspace.write("file.toml", with_password("\"${file:password}\""))}));
  REQUIRE(by_file.manifest);
  REQUIRE(by_file.manifest->sinks[0].renew);
  workspace.write("password", "changed\n");
  CHECK(password_of(*by_file.manifest->sinks[0].renew()) == "changed");
  CHECK(!load_text(kSound).manifest->sinks[0].renew);
}

TEST_CASE("secrets: settings are good until the earliest of what was read for them expires") {
  const Workspace workspace;
  const auto now = std::chrono::system_clock::now();
  auto request = request_for({workspace.write("shop.toml", with_password("\"${aws-sm:late}${aws-sm:soon}${aws-sm:never}\""))});
  set_kind(request, [&](const std::string& reference) -> Result<manifest::Secret> {
    manifest::Secret secret{"x", {}};
    if (reference != "never") secret.good_until = now + std::chrono::hours(reference == "soon" ? 1 : 2);
    return secret;
  });
  const auto loaded = manifest::load(request);
  REQUIRE(loaded.manifest);
  CHECK(loaded.manifest->sinks[0].options.good_until == now + std::chrono::hours(1));
  CHECK(loaded.manifest->sinks[0].renew()->good_until == now + std::chrono::hours(1));
}

TEST_CASE("secrets: each sink has an expiry of its own, and reads its own secrets when it renews them") {
  const Workspace workspace;
  const auto now = std::chrono::system_clock::now();
  std::string text = with_password("\"${aws-sm:first}\"");
  const std::size_t begin = text.find("[sinks."), end = text.find("\n[", begin + 1);
  std::string other = text.substr(begin, end == std::string::npos ? end : end - begin);
  other.replace(0, other.find(']'), "[sinks.other");
  other.replace(other.find("first"), 5, "second");
  std::string plain = other;
  plain.replace(0, plain.find(']'), "[sinks.plain");
  plain.replace(plain.find("${aws-sm:second}"), 16, "hunter2");
  text += "\n" + other + "\n" + plain + "\n[defaults]\nsink = \"other\"\n";
  auto request = request_for({workspace.write("shop.toml", text)});
  std::vector<std::string> asked;
  set_kind(request, [&](const std::string& reference) -> Result<manifest::Secret> {
    asked.push_back(reference);
    if (reference == "second" && asked.size() > 2) return make_error(CDCRT_RETRY, "503");
    return manifest::Secret{"x", now + std::chrono::hours(reference == "first" ? 1 : 2)};
  });
  const auto loaded = manifest::load(request);
  REQUIRE_MESSAGE(loaded.manifest, diagnostics::render(loaded.diagnostics, *loaded.texts, false));
  REQUIRE(loaded.manifest->sinks.size() == 3);
  for (const auto& sink : loaded.manifest->sinks) {
    if (sink.name == "plain") {
      CHECK(!sink.options.good_until);
      CHECK(!sink.renew);
    } else {
      CHECK(sink.options.good_until == now + std::chrono::hours(sink.name == "other" ? 2 : 1));
    }
  }
  for (const auto& sink : loaded.manifest->sinks) {
    if (sink.name == "plain" || sink.name == "other") continue;
    asked = {"", ""};
    const auto renewed = sink.renew();
    REQUIRE(renewed);
    CHECK(renewed->good_until == now + std::chrono::hours(1));
    CHECK(asked == std::vector<std::string>{"", "", "first"});  // what others cannot have is not in the way
  }
}

TEST_CASE("secrets: a kind that nobody offers is refused, with those that there are") {
  const Workspace workspace;
  auto request = request_for({workspace.write("shop.toml", with_password("\"${vault:x}\""))});
  set_kind(request, [](const std::string&) -> Result<manifest::Secret> { return manifest::Secret{}; });
  const auto loaded = manifest::load(request);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].code == "E0304");
}
