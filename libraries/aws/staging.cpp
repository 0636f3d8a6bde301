#include "aws/staging.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "aws/gzip_stream.hpp"

namespace cdcrt::aws {
namespace {

constexpr std::size_t kTextBytes = 64u << 10;
constexpr std::size_t kMinPartBytes = 5u << 20;
constexpr uint32_t kMaxParts = 10'000;

std::string escape_json(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out;
}

}  // namespace

/// The object that is being written: a buffer of one part, and the upload once there was more than one.
class StagingWriter::File {
 public:
  File(S3Client& client, const StagingSettings& settings)
      : client_(client), part_bytes_(std::max(settings.part_bytes, kMinPartBytes)),
        part_(std::make_unique_for_overwrite<char[]>(part_bytes_)) {
    if (settings.compression == Compression::kGzip) gzip_.emplace(settings.level);
  }

  void begin(std::string key) {
    key_ = std::move(key);
    upload_id_.clear();
    etags_.clear();
    used_ = 0;
    text_bytes_ = stored_bytes_ = 0;
    open_ = true;
    if (gzip_) gzip_->restart();
  }

  sdk::Status append(std::string_view text) {
    text_bytes_ += text.size();
    while (!text.empty()) {
      if (used_ == part_bytes_) {
        if (auto sent = send_part(); !sent.ok()) return sent;
      }
      char* const begin = part_.get() + used_;
      char* out = begin;
      if (gzip_) {
        gzip_->compress(text, out, part_.get() + part_bytes_);
      } else {
        const std::size_t bytes = std::min(text.size(), part_bytes_ - used_);
        std::memcpy(out, text.data(), bytes);
        text.remove_prefix(bytes);
        out += bytes;
      }
      used_ += static_cast<std::size_t>(out - begin);
    }
    return {};
  }

  sdk::Status end() {
    for (bool ended = !gzip_; !ended;) {
      char* const begin = part_.get() + used_;
      char* out = begin;
      ended = gzip_->finish(out, part_.get() + part_bytes_);
      used_ += static_cast<std::size_t>(out - begin);
      if (!ended) {
        if (auto sent = send_part(); !sent.ok()) return sent;
      }
    }
    stored_bytes_ += used_;
    sdk::Status done;
    if (upload_id_.empty()) {
      done = client_.put_object(key_, {part_.get(), used_}, content_type());
    } else {
      stored_bytes_ -= used_;
      if (used_ > 0) done = send_part();
      if (done.ok()) done = client_.complete_multipart(key_, upload_id_, etags_);
    }
    if (done.ok()) open_ = false;
    return done;
  }

  sdk::Status abort() {
    if (!open_ || upload_id_.empty()) return {};
    open_ = false;
    return client_.abort_multipart(key_, upload_id_);
  }

  [[nodiscard]] uint64_t text_bytes() const { return text_bytes_; }
  [[nodiscard]] uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  [[nodiscard]] std::string_view content_type() const { return gzip_ ? "application/gzip" : "text/csv"; }

  sdk::Status send_part() {
    if (upload_id_.empty()) {
      if (auto started = client_.start_multipart(key_, upload_id_); !started.ok()) return started;
    }
    if (etags_.size() >= kMaxParts)
      return sdk::Status::fatal("a staged file would have more than " + std::to_string(kMaxParts) + " parts", "make the batches smaller");
    std::string etag;
    const auto number = static_cast<uint32_t>(etags_.size() + 1);
    if (auto sent = client_.upload_part(key_, upload_id_, number, {part_.get(), used_}, etag); !sent.ok()) return sent;
    etags_.push_back(std::move(etag));
    stored_bytes_ += used_;
    used_ = 0;
    return {};
  }

  S3Client& client_;
  std::size_t part_bytes_;
  std::unique_ptr<char[]> part_;
  std::size_t used_ = 0;
  std::optional<GzipStream> gzip_;
  std::string key_, upload_id_;
  std::vector<std::string> etags_;
  uint64_t text_bytes_ = 0, stored_bytes_ = 0;
  bool open_ = false;
};

std::vector<std::string> StagedSet::keys() const {
  std::vector<std::string> all;
  for (const auto& file : files) all.push_back(file.key);
  if (!manifest_key.empty()) all.push_back(manifest_key);
  return all;
}

uint32_t files_for(const StagingSettings& settings, uint64_t rows, uint64_t text_bytes) {
  const uint64_t worth = text_bytes / std::max<uint64_t>(1, settings.file_bytes);
  return static_cast<uint32_t>(std::clamp<uint64_t>(std::min(worth, rows), 1, std::max(1u, settings.files)));
}

StagingWriter::StagingWriter(S3Client& client, StagingSettings settings, std::string_view prefix, std::string_view name, uint64_t rows,
                             uint32_t file_count)
    : client_(client), settings_(settings), prefix_(prefix), name_(name), rows_(rows), file_count_(std::max(1u, file_count)) {}

StagingWriter::~StagingWriter() {
  if (!over_) (void)abort();
}

sdk::Status StagingWriter::end_row() {
  ++row_;
  const bool last_of_file = file_index_ + 1 < file_count_ && row_ >= rows_ * (file_index_ + 1) / file_count_;
  if (text_.size() < kTextBytes && !last_of_file) return {};
  auto taken = take(text_);
  text_.clear();
  return taken.ok() && last_of_file ? end_file() : std::move(taken);
}

sdk::Status StagingWriter::take(std::string_view text) {
  if (!file_) file_ = std::make_unique<File>(client_, settings_);
  if (written_.size() == files_.size()) {
    written_.push_back(prefix_ + name_ + "." + std::to_string(file_index_) +
                       (settings_.compression == Compression::kGzip ? ".csv.gz" : ".csv"));
    file_->begin(written_.back());
  }
  return file_->append(text);
}

sdk::Status StagingWriter::end_file() {
  if (auto ended = file_->end(); !ended.ok()) return ended;
  StagedFile file;
  file.key = written_.back();
  file.url = s3_url(client_.settings().bucket, file.key);
  file.first_row = file_begin_;
  file.rows = row_ - file_begin_;
  file.text_bytes = file_->text_bytes();
  file.stored_bytes = file_->stored_bytes();
  files_.push_back(std::move(file));
  file_begin_ = row_;
  ++file_index_;
  return {};
}

sdk::Status StagingWriter::finish(StagedSet& out) {
  if (row_ > file_begin_) {
    if (!text_.empty() || written_.size() == files_.size()) {
      auto taken = take(text_);
      text_.clear();
      if (!taken.ok()) return taken;
    }
    if (auto ended = end_file(); !ended.ok()) return ended;
  }
  if (!files_.empty()) {
    out.manifest_key = prefix_ + name_ + ".manifest";
    out.manifest_url = s3_url(client_.settings().bucket, out.manifest_key);
    written_.push_back(out.manifest_key);
    if (auto put = client_.put_object(out.manifest_key, copy_manifest(files_), "application/json"); !put.ok()) return put;
  }
  out.files = files_;
  out.rows = row_;
  over_ = true;
  return {};
}

sdk::Status StagingWriter::abort() {
  over_ = true;
  sdk::Status first = file_ ? file_->abort() : sdk::Status();
  if (!written_.empty()) {
    auto removed = client_.delete_objects(written_);
    if (first.ok()) first = std::move(removed);
    written_.clear();
  }
  return first;
}

std::string copy_manifest(const std::vector<StagedFile>& files) {
  std::string text = "{\"entries\":[";
  for (const auto& file : files) {
    if (&file != files.data()) text += ',';
    text += "\n{\"url\":\"" + escape_json(file.url) + "\",\"mandatory\":true}";
  }
  text += "\n]}\n";
  return text;
}

}  // namespace cdcrt::aws
