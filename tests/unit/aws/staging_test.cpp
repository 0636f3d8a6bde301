#include "aws/staging.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <stdexcept>

#include "aws/memory_s3.hpp"

using namespace cdcrt;
using test::MemoryS3;

namespace {

aws::S3Client client_of(MemoryS3& s3) {
  aws::CredentialsSettings given;
  given.given.access_key = MemoryS3::kAccessKey;
  given.given.secret_key = MemoryS3::kSecretKey;
  aws::S3Settings settings;
  settings.bucket = MemoryS3::kBucket;
  settings.endpoint = s3.server().url();
  settings.path_style = true;
  settings.first_wait = settings.max_wait = std::chrono::milliseconds(1);
  settings.attempts = 2;
  return {settings, aws::default_credentials(std::move(given))};
}

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  std::string out, chunk(1 << 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (code != Z_STREAM_END || stream.avail_in != 0) throw std::runtime_error("not one whole gzip stream");
  return out;
}

/// Text that gzip cannot make small.
std::string row(uint64_t number, std::size_t size) {
  std::string text = std::to_string(number) + ",";
  uint64_t state = number * 0x9E3779B97F4A7C15u + 1;
  while (text.size() < size) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    text += static_cast<char>('0' + state % 75);
  }
  return text + "\n";
}

/// Stages `rows` rows; answers their text. Stops at the first error.
std::string stage(aws::StagingWriter& writer, uint64_t rows, std::size_t size, sdk::Status& status) {
  std::string all;
  for (uint64_t i = 0; i < rows && status.ok(); ++i) {
    const std::string text = row(i, size);
    all += text;
    writer.text() += text;
    status = writer.end_row();
  }
  return all;
}

}  // namespace

TEST_CASE("rows go in order into files of equally many, and the manifest names each as mandatory") {
  MemoryS3 s3;
  auto client = client_of(s3);
  aws::StagingSettings settings;
  std::string suffix = ".csv.gz";
  SUBCASE("gzip") {}
  SUBCASE("none") { settings.compression = aws::Compression::kNone, suffix = ".csv"; }
  aws::StagedSet set;
  sdk::Status status;
  std::string all;
  {
    aws::StagingWriter writer(client, settings, "shop/p/1/", "orders-7", 1001, 4);
    all = stage(writer, 1001, 300, status);
    REQUIRE(status.ok());
    status = writer.finish(set);
    REQUIRE_MESSAGE(status.ok(), status.message());
  }
  REQUIRE(set.files.size() == 4);
  CHECK(set.rows == 1001);
  std::string together;
  uint64_t next = 0;
  auto objects = s3.objects();
  for (std::size_t i = 0; i < set.files.size(); ++i) {
    const auto& file = set.files[i];
    CHECK(file.key == "shop/p/1/orders-7." + std::to_string(i) + suffix);
    CHECK(file.url == "s3://stage/" + file.key);
    CHECK(file.first_row == next);
    CHECK((file.rows == 250 || file.rows == 251));
    next += file.rows;
    const std::string stored = objects.at(file.key), text = suffix == ".csv" ? stored : gunzip(stored);
    CHECK(text.size() == file.text_bytes);
    CHECK(stored.size() == file.stored_bytes);
    CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(file.rows));
    together += text;
  }
  CHECK(together == all);
  CHECK(objects.at("shop/p/1/orders-7.manifest") == aws::copy_manifest(set.files));
  CHECK(aws::copy_manifest(set.files).find("{\"url\":\"s3://stage/shop/p/1/orders-7.3" + suffix + "\",\"mandatory\":true}\n]}") !=
        std::string::npos);
  CHECK(set.keys().size() == 5);
  CHECK(client.delete_objects(set.keys()).ok());
  CHECK(s3.objects().empty());
  CHECK(s3.complaints() == "");
}

TEST_CASE("a file of more than one part is a multipart upload") {
  MemoryS3 s3;
  auto client = client_of(s3);
  aws::StagingSettings settings;
  settings.part_bytes = 5u << 20;
  SUBCASE("gzip") {}
  SUBCASE("none") { settings.compression = aws::Compression::kNone; }
  aws::StagingWriter writer(client, settings, "p/", "t", 130, 1);
  sdk::Status status;
  const std::string all = stage(writer, 130, 100'000, status);
  aws::StagedSet set;
  status = writer.finish(set);
  REQUIRE_MESSAGE(status.ok(), status.message());
  const auto actions = s3.actions();
  CHECK(std::count(actions.begin(), actions.end(), "POST start") == 1);
  CHECK(std::count(actions.begin(), actions.end(), "PUT part") >= 2);
  CHECK(s3.uploads() == 0);
  const auto stored = s3.objects().at(set.files.at(0).key);
  CHECK(stored.size() == set.files[0].stored_bytes);
  CHECK((settings.compression == aws::Compression::kNone ? stored : gunzip(stored)) == all);
}

TEST_CASE("a set without rows writes nothing") {
  MemoryS3 s3;
  auto client = client_of(s3);
  aws::StagingWriter writer(client, {}, "p/", "t", 0, 4);
  aws::StagedSet set;
  CHECK(writer.finish(set).ok());
  CHECK(set.files.empty());
  CHECK(set.manifest_key.empty());
  CHECK(s3.actions().empty());
}

TEST_CASE("fewer or more rows than were expected are staged all the same") {
  MemoryS3 s3;
  auto client = client_of(s3);
  for (const uint64_t rows : {1u, 7u, 10u, 25u}) {
    aws::StagingWriter writer(client, {}, "p/", std::to_string(rows), 10, 3);
    sdk::Status status;
    const std::string all = stage(writer, rows, 50, status);
    aws::StagedSet set;
    REQUIRE(writer.finish(set).ok());
    std::string together;
    uint64_t counted = 0;
    for (const auto& file : set.files) {
      together += gunzip(s3.objects().at(file.key));
      counted += file.rows;
    }
    CHECK(together == all);
    CHECK(counted == rows);
    CHECK(set.files.size() <= 3);
  }
}

TEST_CASE("a row that is taken back before its end is not staged") {
  MemoryS3 s3;
  auto client = client_of(s3);
  aws::StagingWriter writer(client, {}, "p/", "t", 2, 1);
  writer.text() += "1\n";
  CHECK(writer.end_row().ok());
  const std::size_t before = writer.text().size();
  writer.text() += "half of a row";
  writer.text().resize(before);
  writer.text() += "2\n";
  CHECK(writer.end_row().ok());
  aws::StagedSet set;
  CHECK(writer.finish(set).ok());
  CHECK(gunzip(s3.objects().at(set.files.at(0).key)) == "1\n2\n");
}

TEST_CASE("what fails on the way leaves nothing behind once it is aborted") {
  MemoryS3 s3;
  auto client = client_of(s3);
  aws::StagingSettings settings;
  settings.compression = aws::Compression::kNone;
  settings.part_bytes = 5u << 20;
  const auto down = MemoryS3::error(503, "SlowDown");
  bool by_destructor = false;
  test::ServerResponse fine;
  fine.headers["ETag"] = "\"part1\"";
  SUBCASE("the second part") { s3.plan("PUT part", fine, true), s3.plan("PUT part", down), s3.plan("PUT part", down); }
  SUBCASE("a part, and no one aborts") {
    s3.plan("PUT part", down), s3.plan("PUT part", down);
    by_destructor = true;
  }
  SUBCASE("the end of an upload") { s3.plan("POST complete", down), s3.plan("POST complete", down); }
  SUBCASE("the end of an upload, done in truth") {
    s3.plan("POST complete", down, true), s3.plan("HEAD object", down), s3.plan("HEAD object", down);
  }
  SUBCASE("the start of an upload, done in truth") {
    test::ServerResponse reset;
    reset.fault = test::ServerResponse::Fault::kReset;
    s3.plan("POST start", reset, true), s3.plan("POST start", reset, true);
  }
  SUBCASE("the manifest, written in truth") { s3.plan("PUT object", down, true), s3.plan("PUT object", down, true); }
  {
    aws::StagingWriter writer(client, settings, "p/", "t", 130, 2);
    sdk::Status status;
    stage(writer, 130, 100'000, status);
    aws::StagedSet set;
    if (status.ok()) status = writer.finish(set);
    CHECK_MESSAGE(status.code() == CDCRT_RETRY, status.message());
    if (!by_destructor) CHECK(writer.abort().ok());
  }
  CHECK(s3.objects().empty());
  CHECK(s3.uploads() == 0);
}

TEST_CASE("the number of files follows the text and never passes the rows or the setting") {
  aws::StagingSettings settings;
  settings.files = 8;
  settings.file_bytes = 1000;
  CHECK(aws::files_for(settings, 100, 10) == 1);
  CHECK(aws::files_for(settings, 100, 3500) == 3);
  CHECK(aws::files_for(settings, 100, 1'000'000) == 8);
  CHECK(aws::files_for(settings, 2, 1'000'000) == 2);
  CHECK(aws::files_for(settings, 0, 0) == 1);
}
