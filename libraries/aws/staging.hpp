// Staging: rows as text into a set of near-equal files in S3, and the manifest that COPY reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3_client.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

enum class Compression : uint8_t { kNone, kGzip };

struct StagingSettings {
  Compression compression = Compression::kGzip;
  int level = 1;                      ///< of GzipStream, 0..3
  std::size_t part_bytes = 8u << 20;  ///< of a multipart upload; at least 5 MiB, at most 5 GiB (S3's limits)
  uint32_t files = 1;                 ///< at most this many; best the cluster's slices or a multiple of them
  uint64_t file_bytes = 4u << 20;     ///< text that is worth a file of its own
};

/// One object of the set.
struct StagedFile {
  std::string key;
  std::string url;         ///< s3://bucket/key
  uint64_t first_row = 0;  ///< index of its first row within the set
  uint64_t rows = 0;
  uint64_t text_bytes = 0;  ///< before compression
  uint64_t stored_bytes = 0;
};

/// What COPY needs and what must be deleted afterwards.
struct StagedSet {
  std::string manifest_key;
  std::string manifest_url;
  std::vector<StagedFile> files;
  uint64_t rows = 0;

  /// Every object, the manifest included.
  [[nodiscard]] std::vector<std::string> keys() const;
};

/// How many files `rows` rows of about `text_bytes` bytes in all are worth: 1..settings.files.
uint32_t files_for(const StagingSettings& settings, uint64_t rows, uint64_t text_bytes);

/// Writes one set: rows 0.. go in order into `file_count` files of equally many rows each. One thread; the client is borrowed and used only
/// inside calls. Uploads happen inside end_row() and finish(), so whoever encodes waits for S3 and not the other way round.
///
/// Memory: one part (`part_bytes`), 64 KiB of text and one row, and half a MiB of GzipStream; whatever the size of the set.
/// A file that fits one part is one PUT, a larger one a multipart upload.
class StagingWriter {
 public:
  /// Objects are named <prefix><name>.<number>.csv[.gz] and <prefix><name>.manifest.
  StagingWriter(S3Client& client, StagingSettings settings, std::string_view prefix, std::string_view name, uint64_t rows,
                uint32_t file_count);
  /// Aborts what was neither finished nor aborted, once, without an answer.
  ~StagingWriter();
  StagingWriter(const StagingWriter&) = delete;
  StagingWriter& operator=(const StagingWriter&) = delete;

  /// Where the next row's text is appended, its line feed included. Only the tail that was appended since end_row() may be taken back.
  [[nodiscard]] std::string& text() { return text_; }
  /// The row is complete. After an error only abort() is of use.
  sdk::Status end_row();
  /// Ends the files and writes the manifest (every entry mandatory). A set without rows writes nothing and has no manifest.
  sdk::Status finish(StagedSet& out);
  /// Removes all that was written: uploads, files, manifest. An error tells what may be left; the prefix's owner deletes it later.
  sdk::Status abort();

 private:
  class File;
  sdk::Status take(std::string_view text);
  sdk::Status end_file();

  S3Client& client_;
  StagingSettings settings_;
  std::string prefix_, name_;
  uint64_t rows_, row_ = 0;  ///< of the set: expected, ended
  uint32_t file_count_, file_index_ = 0;
  uint64_t file_begin_ = 0;  ///< first row of the file that is open
  std::string text_;
  std::unique_ptr<File> file_;  ///< its buffers serve one file after the other
  std::vector<StagedFile> files_;
  std::vector<std::string> written_;  ///< keys that may exist
  bool over_ = false;
};

/// {"entries":[{"url":...,"mandatory":true},...]}
std::string copy_manifest(const std::vector<StagedFile>& files);

}  // namespace cdcrt::aws
