#include "file_source.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace cdcrt::file_source {
namespace {

constexpr std::chrono::milliseconds kLinger{5};  // how long a pipe's first message may wait for others
constexpr uint64_t kLinesBetweenClocks = 256;

std::string file_name(const std::string& path) { return path == "-" ? "stdin" : path.substr(path.rfind('/') + 1); }

/// "shop.public.orders" of "shop.public.orders.jsonl.gz".
std::string without_ending(std::string name) {
  for (const std::string_view packed : {".gz", ".gzip"}) {
    if (name.size() > packed.size() && name.compare(name.size() - packed.size(), packed.size(), packed) == 0)
      name.resize(name.size() - packed.size());
  }
  for (const std::string_view ending : {".jsonl", ".ndjson", ".json", ".txt", ".csv", ".log"}) {
    if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0)
      return name.substr(0, name.size() - ending.size());
  }
  return name;
}

sdk::Status copy_of(const sdk::Status& status) {
  return sdk::Status::error(status.code(), std::string(status.message()), std::string(status.hint()));
}

sdk::Status cannot_go_back() {
  return sdk::Status::unsupported("standard input and pipes can be read only once",
                                  "write the input into a file and name that file in paths");
}

}  // namespace

FileSource::FileSource(const sdk::Config& config, sdk::Host host)
    : host_(std::move(host)),
      layout_(config.string("layout") == "values" ? Layout::kValues : Layout::kKcat),
      max_line_(config.bytes("max_line")),
      batch_messages_(static_cast<uint64_t>(config.integer("batch_messages"))),
      batch_bytes_(config.bytes("batch_bytes")),
      most_held_(std::max<uint64_t>(8 << 20, 2 * batch_bytes_)),
      decoder_(layout_, max_line_) {}

sdk::Status FileSource::configure(const sdk::Config& config) {
  const std::string topic = config.string("topic");
  if (!topic.empty() && layout_ != Layout::kValues) {
    return sdk::Status::bad_config("topic", "topic belongs to layout = \"values\"; a line that kcat printed names its own",
                                   "remove it, or choose what to read with topics");
  }
  std::map<std::string, int64_t> names, topics;
  for (const auto& path : config.list("paths")) {
    const bool again = std::any_of(inputs_.begin(), inputs_.end(), [&](const Input& input) { return input.path == path; });
    if (again) return sdk::Status::bad_config("paths", "a path stands there twice: " + path);
    Input input;
    input.path = path;
    input.name = file_name(path);
    input.topic = topic.empty() ? without_ending(input.name) : topic;
    input.name_index = names[input.name]++;
    input.topic_index = topics[input.topic]++;
    inputs_.push_back(std::move(input));
  }
  if (inputs_.empty()) return sdk::Status::bad_config("paths", "no file is named");
  return TopicFilter::parse("topics", config.list("topics"), topics_);
}

sdk::Status FileSource::start() {
  uint64_t total = 0;
  for (const auto& input : inputs_) {
    struct stat status {};
    const bool is_standard = input.path == "-";
    const int failed = is_standard ? ::fstat(STDIN_FILENO, &status) : ::stat(input.path.c_str(), &status);
    if (failed != 0) {
      const int number = errno;
      const bool is_pattern = number == ENOENT && input.path.find_first_of("*?[") != std::string::npos;
      return sdk::Status::error(CDCRT_UNREACHABLE, "cannot read " + input.path + ": " + std::strerror(number),
                                is_pattern ? "no file matches this pattern" : "paths are relative to the manifest's folder");
    }
    if (S_ISDIR(status.st_mode)) {
      return sdk::Status::bad_config("paths", "a directory, not a file: " + input.path,
                                     "name its files, for example paths = \"" + input.path + "/*.jsonl\"");
    }
    if (!is_standard && ::access(input.path.c_str(), R_OK) != 0) {
      return sdk::Status::error(CDCRT_UNREACHABLE, "cannot read " + input.path + ": " + std::strerror(errno));
    }
    // Standard input is never gone back in, not even where it is a file: it may have been read from the middle.
    if (is_standard || !S_ISREG(status.st_mode)) can_rewind_ = false;
    total += static_cast<uint64_t>(status.st_size);
  }
  if (can_rewind_) total_ = total;
  is_started_ = true;
  return {};
}

sdk::Status FileSource::seek(std::string_view topic, int32_t number, int64_t offset, uint32_t generation) {
  Partition& partition = partition_of({topic, number, offset, number != kUnreadablePartition});
  if (is_started_ && offset < partition.next) {
    if (!can_rewind_) return cannot_go_back();
    needs_new_pass_ = true;
  }
  drop(partition);
  partition.floor = partition.next = std::max<int64_t>(offset, 0);
  partition.generation = generation;
  return {};
}

void FileSource::begin_pass() {
  needs_new_pass_ = is_at_end_ = false;
  failure_ = {};
  left_out_ = 0;
  reader_.reset();
  file_ = 0;
  done_before_ = 0;
  partitions_.each([](Partition& partition) {
    partition.floor = partition.next;
    partition.skipped = 0;
  });
}

Partition& FileSource::partition_of(const Located& located) {
  return partitions_.get(located.topic, located.partition,
                         [&] { return located.partition == kUnreadablePartition || topics_.meets(located.topic); });
}

bool FileSource::accepts(Partition& partition, int64_t offset) {
  if (offset >= partition.next) return true;
  if (offset >= partition.floor && partition.skipped++ == 0) {
    partition.skipped_offset = offset;
    partition.skipped_after = partition.next - 1;
  }
  return false;
}

bool FileSource::wants_unreadable(const Line& line, const Input& input) {
  if (layout_ == Layout::kValues) return false;
  const int64_t offset = LineDecoder::unreadable_offset(line, input);
  return offset >= partition_of({input.name, kUnreadablePartition, offset, false}).next;
}

sdk::MessageBatch& FileSource::scratch() {
  if (!scratch_ || scratch_->reserved() > (1 << 20)) {
    scratch_ = std::make_unique<sdk::MessageBatch>(pool_, std::make_shared<const std::string>(), 0, 0);
  }
  return *scratch_;
}

sdk::MessageBatch& FileSource::batch_of(Partition& partition) {
  if (!partition.pending) {
    partition.pending = std::make_unique<sdk::MessageBatch>(pool_, partition.topic, partition.number, partition.generation);
    if (pending_.empty()) pending_since_ = std::chrono::steady_clock::now();
    pending_.push_back(&partition);
    held_ += partition.pending->reserved();
  }
  return *partition.pending;
}

void FileSource::drop(Partition& partition) {
  if (!partition.pending) return;
  held_ -= partition.pending->reserved();
  partition.pending.reset();
  pending_.erase(std::find(pending_.begin(), pending_.end(), &partition));
  if (ready_ == &partition) ready_ = nullptr;
}

void FileSource::hand_out(Partition& partition, cdcrt_messages& out) {
  auto batch = std::move(partition.pending);
  held_ -= batch->reserved();
  pending_.erase(std::find(pending_.begin(), pending_.end(), &partition));
  ready_ = nullptr;
  sdk::MessageBatch::hand_over(std::move(batch), &out);
}

Partition* FileSource::largest_pending() {
  Partition* largest = nullptr;
  for (Partition* partition : pending_) {
    if (partition->pending->count() == 0) continue;
    if (largest == nullptr || partition->pending->reserved() > largest->pending->reserved()) largest = partition;
  }
  return largest;
}

void FileSource::remember(Partition& partition, const Line& line, int64_t offset) {
  // Inside gzip nothing can be found again but the start.
  const bool is_packed = reader_->is_packed();
  partitions_.note(partition, {offset, file_, is_packed ? 0 : line.byte, is_packed ? 1 : line.number});
}

void FileSource::deliver(const Line& line, const Input& input) {
  Located located;
  if (!decoder_.locate(line, input, located)) return;
  for (;;) {
    Partition& partition = partition_of(located);
    if (!partition.is_wanted) {
      ++left_out_;
      return;
    }
    if (!accepts(partition, located.offset)) {
      // Read to its end all the same: a broken line is reported at a place of its own, which may not have been passed.
      if (!located.is_readable || !wants_unreadable(line, input) || decoder_.decode(located, scratch())) return;
      continue;
    }
    auto& batch = batch_of(partition);
    const uint64_t before = batch.reserved();
    const bool is_added = decoder_.decode(located, batch);
    held_ += batch.reserved() - before;
    if (!is_added) {
      if (batch.count() == 0) drop(partition);
      continue;
    }
    partition.next = located.offset + 1;
    remember(partition, line, located.offset);
    if (batch.count() >= batch_messages_ || batch.payload_bytes() >= batch_bytes_) {
      ready_ = &partition;
    } else if (held_ > most_held_) {
      ready_ = largest_pending();
    }
    return;
  }
}

Reading FileSource::read_line(Deadline deadline, Line& line, sdk::Status& why) {
  for (;;) {
    if (!reader_) {
      if (file_ == inputs_.size()) return Reading::kEnd;
      reader_ = std::make_unique<LineReader>(inputs_[file_].path, max_line_);
      why = reader_->open();
      if (!why.ok()) return Reading::kFailed;
    }
    const Reading reading = reader_->next(deadline, line, why);
    done_.store(done_before_ + reader_->taken(), std::memory_order_relaxed);
    if (reading != Reading::kEnd) return reading;
    done_before_ += reader_->taken();
    reader_.reset();
    ++file_;
  }
}

sdk::Status FileSource::poll(std::chrono::milliseconds timeout, cdcrt_messages& out) {
  if (is_stopped_) return end_of_input();
  if (!is_started_) return sdk::Status::fatal("poll before start");
  if (needs_new_pass_) begin_pass();
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (uint64_t lines = 1; !is_at_end_ && failure_.ok(); ++lines) {
    Line line;
    const auto wait_until = pending_.empty() ? deadline : std::min(deadline, pending_since_ + kLinger);
    switch (read_line(wait_until, line, failure_)) {
      case Reading::kData:
        deliver(line, inputs_[file_]);
        break;
      case Reading::kEnd:
        is_at_end_ = true;
        break;
      case Reading::kWait:
        if (Partition* partition = largest_pending()) hand_out(*partition, out);
        return {};
      case Reading::kFailed:
        break;
    }
    if (ready_ == nullptr && lines % kLinesBetweenClocks == 0 && std::chrono::steady_clock::now() >= deadline) {
      ready_ = largest_pending();
      if (ready_ == nullptr) return {};
    }
    if (ready_ != nullptr) {
      hand_out(*ready_, out);
      return {};
    }
  }
  if (Partition* partition = largest_pending()) {
    hand_out(*partition, out);
    return {};
  }
  warn_of_skipped();
  return failure_.ok() ? end_of_input() : copy_of(failure_);
}

void FileSource::warn_of_skipped() {
  partitions_.each([&](Partition& partition) {
    if (partition.skipped == 0) return;
    host_.warn(*partition.topic + " [" + std::to_string(partition.number) + "]: offset " + std::to_string(partition.skipped_offset) +
               " follows " + std::to_string(partition.skipped_after) + ": already read, skipped (" + std::to_string(partition.skipped) +
               (partition.skipped == 1 ? " message" : " messages") + " like it)");
    partition.skipped = 0;
  });
}

sdk::Status FileSource::fetch(std::string_view topic, int32_t number, int64_t first, int64_t last,
                              const std::function<bool(const cdcrt_message&)>& visit) {
  if (!can_rewind_) return cannot_go_back();
  const Mark mark = partitions_.mark_before(topic, number, first);
  const bool wants_unreadable = number == kUnreadablePartition;
  const auto name = std::make_shared<const std::string>(topic);
  LineDecoder decoder(layout_, max_line_);
  int64_t seen = -1;
  for (size_t file = mark.file; file < inputs_.size(); ++file) {
    LineReader reader(inputs_[file].path, max_line_);
    auto status = reader.open();
    if (status.ok() && file == mark.file) status = reader.seek(mark.byte, mark.number);
    if (!status.ok()) return status;
    for (;;) {
      Line line;
      const Reading reading = reader.next({}, line, status);
      if (reading == Reading::kFailed) return status;
      if (reading != Reading::kData) break;
      Located located;
      if (!decoder.locate(line, inputs_[file], located)) continue;
      auto batch = std::make_unique<sdk::MessageBatch>(pool_, name, number, 0);
      const auto is_asked = [&] {
        return located.partition == number && located.topic == topic && located.offset >= first && located.offset > seen &&
               located.offset <= last;
      };
      if (located.partition == number && located.topic == topic && located.offset > last) return {};
      // Whether a line is unreadable shows only when it was read to its end.
      if (!is_asked() && !(wants_unreadable && located.is_readable)) continue;
      bool is_added = decoder.decode(located, *batch);
      if (!is_added && is_asked()) is_added = decoder.decode(located, *batch);
      if (!is_added || !is_asked()) continue;
      seen = located.offset;
      cdcrt_messages messages{};
      sdk::MessageBatch::hand_over(std::move(batch), &messages);
      const bool goes_on = visit(messages.messages[0]);
      messages.release(&messages);
      if (!goes_on) return {};
    }
  }
  return {};
}

cdcrt_extent FileSource::extent() { return {done_.load(std::memory_order_relaxed), total_.load(std::memory_order_relaxed)}; }

sdk::Status FileSource::survey(cdcrt_survey& out) {
  out.left_out = left_out_;
  for (const auto& pattern : topics_.unmet()) out.unmet(out.context, sdk::borrow("topics"), sdk::borrow(pattern));
  return {};
}

void FileSource::stop() { is_stopped_ = true; }

}  // namespace cdcrt::file_source
