// Run by tests/integration/test_staging.py, which starts a real S3 server and sets CDCRT_TEST_S3; skipped without one.
#include <doctest/doctest.h>

#include <cstdlib>

#include "aws/staging.hpp"

using namespace cdcrt;

namespace {

std::string endpoint() {
  const char* given = std::getenv("CDCRT_TEST_S3");
  return given == nullptr ? std::string() : std::string(given);
}

aws::S3Client live(const char* secret = "test-secret", const char* bucket = "staging") {
  aws::CredentialsSettings keys;
  keys.given.access_key = "test-key";
  keys.given.secret_key = secret;
  aws::S3Settings settings;
  settings.bucket = bucket;
  settings.region = "eu-west-1";
  settings.endpoint = endpoint();
  settings.path_style = true;
  return {settings, aws::default_credentials(keys)};
}

}  // namespace

TEST_CASE("live S3: objects are written, listed and deleted" * doctest::skip(endpoint().empty())) {
  auto client = live();
  for (const char* name : {"a/plain", "a/b c+d&e",
                           "a/gr\xc3\xbc\xc3\x9f"
                           "e",
                           "a/~x=y"}) {
    const auto put = client.put_object(name, name);
    CHECK_MESSAGE(put.ok(), name << ": " << put.message());
    std::string body;
    CHECK(client.get_object(name, body).ok());
    CHECK(body == name);
  }
  bool found = false;
  uint64_t size = 0, deleted = 0;
  CHECK(client.head_object("a/plain", found, size).ok());
  CHECK(found);
  CHECK(size == 7);
  CHECK(client.head_object("a/none", found, size).ok());
  CHECK(!found);
  const auto removed = client.delete_prefix("a/", deleted);
  CHECK_MESSAGE(removed.ok(), removed.message());
  CHECK(deleted >= 4);
  CHECK(client.head_object("a/plain", found, size).ok());
  CHECK(!found);
  CHECK(client.counters().retries == 0);
}

TEST_CASE("live S3: a set with a file of several parts, and uploads that no one ended" * doctest::skip(endpoint().empty())) {
  auto client = live();
  aws::StagingSettings settings;
  settings.compression = aws::Compression::kNone;
  settings.part_bytes = 5u << 20;
  std::string expected;
  aws::StagedSet set;
  {
    aws::StagingWriter writer(client, settings, "b/", "t", 120, 1);
    for (int i = 0; i < 120; ++i) {
      const std::string row = std::to_string(i) + std::string(100'000, static_cast<char>('a' + i % 26)) + "\n";
      expected += row;
      writer.text() += row;
      const auto ended = writer.end_row();
      REQUIRE_MESSAGE(ended.ok(), ended.message());
    }
    const auto finished = writer.finish(set);
    REQUIRE_MESSAGE(finished.ok(), finished.message());
  }
  std::string body;
  CHECK(client.get_object(set.files.at(0).key, body).ok());
  CHECK(body == expected);
  CHECK(client.get_object(set.manifest_key, body).ok());
  CHECK(body == aws::copy_manifest(set.files));
  {
    aws::StagingWriter left(client, settings, "b/", "left", 120, 1);
    for (int i = 0; i < 60; ++i) {
      left.text() += std::string(100'000, 'x') + "\n";
      REQUIRE(left.end_row().ok());
    }
  }
  std::vector<aws::S3Upload> uploads;
  CHECK(client.list_uploads("b/", uploads).ok());
  CHECK(uploads.empty());
  std::string id;
  CHECK(client.start_multipart("b/dangling", id).ok());
  CHECK(client.list_uploads("b/", uploads).ok());
  CHECK(uploads.size() == 1);
  uint64_t deleted = 0;
  const auto removed = client.delete_prefix("b/", deleted);
  CHECK_MESSAGE(removed.ok(), removed.message());
  CHECK(deleted >= 3);
  std::vector<aws::S3Object> objects;
  CHECK(client.list_objects("b/", objects).ok());
  CHECK(objects.empty());
}

TEST_CASE("live S3: a wrong secret and a missing bucket are told apart" * doctest::skip(endpoint().empty())) {
  auto wrong = live("not the secret");
  CHECK(wrong.put_object("k", "v").code() == CDCRT_AUTH);
  auto nowhere = live("test-secret", "no-such-bucket");
  const auto put = nowhere.put_object("k", "v");
  CHECK(put.code() == CDCRT_BAD_CONFIG);
  CHECK_MESSAGE(put.message().find("NoSuchBucket") != std::string_view::npos, put.message());
}
