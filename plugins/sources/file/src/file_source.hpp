// FileSource: messages from files, as batches of one partition.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cdcrt/sdk/source.hpp"
#include "inputs.hpp"
#include "line_decoder.hpp"
#include "line_reader.hpp"
#include "partitions.hpp"
#include "rereader.hpp"
#include "topic_filter.hpp"

namespace cdcrt::file_source {

/// See README.md for what an operator sees. Partitions are collected side by side in one pass over the files.
class FileSource : public sdk::Source {
 public:
  static constexpr const char* kSummary =
      "Messages from files: JSON Lines as kcat prints them, or one value per line; gzip and standard input";
  static constexpr const char* kLicense = "Apache-2.0";
  static constexpr uint32_t kCapabilities = CDCRT_SOURCE_REWINDS | CDCRT_SOURCE_NOTES;

  FileSource(const sdk::Config& config, sdk::Host host);
  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status seek(std::string_view topic, int32_t partition, int64_t offset, uint32_t generation) override;
  sdk::Status start() override;
  sdk::Status poll(std::chrono::milliseconds timeout, cdcrt_messages& out) override;
  sdk::Status fetch(std::string_view topic, int32_t partition, int64_t first, int64_t last,
                    const std::function<bool(const cdcrt_message&)>& visit) override;
  sdk::Status list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) override;
  sdk::Status origin(std::string_view topic, int32_t partition, int64_t& offset) override;
  cdcrt_extent extent() override;
  sdk::Status survey(cdcrt_survey& out) override;
  void stop() override;

 private:
  sdk::Status prepare();
  Reading read_line(Deadline deadline, Line& line, sdk::Status& why);
  Reading leave_end(Line& line, size_t file, sdk::Status& why);
  void leave_pending(const Input& input);
  [[nodiscard]] sdk::Status check_length(const Input& input);
  void note_length(const Input& input);
  [[nodiscard]] sdk::Status check_passed();
  void begin_pass();
  void deliver(const Line& line, const Input& input);
  Partition& partition_of(const Located& located);
  bool accepts(Partition& partition, int64_t offset, const Input& input);
  bool wants_unreadable(const Line& line, const Input& input);
  sdk::MessageBatch& scratch();
  sdk::MessageBatch& batch_of(Partition& partition);
  void hand_out(Partition& partition, cdcrt_messages& out);
  void drop(Partition& partition);
  void remember(Partition& partition, const Line& line, int64_t offset);
  Partition* oldest_pending();
  void warn_of_skipped();

  sdk::Host host_;
  Layout layout_ = Layout::kKcat;
  uint64_t max_line_, batch_messages_, batch_bytes_, most_held_;
  Inputs inputs_;
  TopicFilter topics_;

  LineDecoder decoder_;
  Partitions partitions_;
  std::shared_ptr<sdk::BlockPool> pool_ = std::make_shared<sdk::BlockPool>();
  Rereader rereader_;  // of the thread that fetches
  std::unique_ptr<sdk::MessageBatch> scratch_;
  std::vector<Partition*> pending_;  // partitions with a batch in the making
  uint64_t held_ = 0;                // memory of those batches
  Partition* ready_ = nullptr;       // the one whose batch is full
  std::chrono::steady_clock::time_point pending_since_;

  std::unique_ptr<LineReader> reader_;
  size_t file_ = 0;  // of inputs_, being read or next
  bool is_first_pass_ = true;
  bool keeps_notes_ = false;  // somebody asked for them
  bool is_started_ = false, is_stopped_ = false, needs_new_pass_ = false, is_at_end_ = false;
  sdk::Status failure_;  // what ended this pass; given again at every poll

  std::atomic<uint64_t> done_{0}, total_{0};
  std::atomic<uint64_t> left_out_{0};  // messages of topics that are not wanted
  uint64_t done_before_ = 0;           // bytes of the files of this pass that are read to their end
};

}  // namespace cdcrt::file_source
