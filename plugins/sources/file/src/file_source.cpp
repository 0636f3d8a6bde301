#include "file_source.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::file_source {
namespace {

constexpr std::chrono::milliseconds kLinger{5};  // how long a pipe's first message may wait for others
constexpr uint64_t kLinesBetweenClocks = 256;

sdk::Status copy_of(const sdk::Status& status) {
  return sdk::Status::error(status.code(), std::string(status.message()), std::string(status.hint()));
}

sdk::Status cannot_go_back() {
  return sdk::Status::unsupported("standard input and pipes can be read only once",
                                  "write the input into a file and name that file in paths");
}

}  // namespace

FileSource::FileSource(const sdk::Config& config, sdk::Host host)
    : host_(std::move(host)), layout_(config.string("layout") == "values" ? Layout::kValues : Layout::kKcat),
      max_line_(config.bytes("max_line")), batch_messages_(static_cast<uint64_t>(config.integer("batch_messages"))),
      batch_bytes_(config.bytes("batch_bytes")), most_held_(std::max<uint64_t>(8 << 20, 2 * batch_bytes_)), inputs_(layout_, max_line_),
      decoder_(layout_, max_line_), rereader_(inputs_, partitions_, layout_, max_line_, pool_) {}

sdk::Status FileSource::configure(const sdk::Config& config) {
  const std::string topic = config.string("topic");
  if (!topic.empty() && layout_ != Layout::kValues) {
    return sdk::Status::bad_config("topic", "topic belongs to layout = \"values\"; a line that kcat printed names its own",
                                   "remove it, or choose what to read with topics");
  }
  if (auto status = inputs_.configure(config.list("paths"), topic); !status.ok()) return status;
  // It is a topic: of its values, and of what cannot be read in it.
  for (const auto& input : inputs_.all()) {
    if (!sdk::is_utf8(input.name))
      return sdk::Status::bad_config("paths", "the name of a file is not UTF-8: " + input.path, "rename the file");
  }
  return TopicFilter::parse("topics", config.list("topics"), topics_);
}

sdk::Status FileSource::prepare() {
  const auto applied = [this](std::string_view topic, int32_t partition) {
    const bool is_wanted = layout_ != Layout::kKcat || partition < 0 || topics_.meets(topic);
    return is_wanted ? partitions_.applied(topic, partition) : INT64_MAX;
  };
  return inputs_.prepare(applied, host_);
}

sdk::Status FileSource::start() {
  if (auto status = prepare(); !status.ok()) return status;
  if (inputs_.can_rewind()) total_ = inputs_.total_bytes();
  is_started_ = true;
  return {};
}

// What cannot be read is told by start().
sdk::Status FileSource::list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) {
  keeps_notes_ = true;
  if (prepare().ok()) inputs_.each_note(visit);
  return {};
}

sdk::Status FileSource::origin(std::string_view topic, int32_t partition, int64_t& offset) {
  offset = inputs_.offset_of_note(topic, partition);
  return {};
}

sdk::Status FileSource::seek(std::string_view topic, int32_t number, int64_t offset, uint32_t generation) {
  if (number <= CDCRT_NOTE_PARTITION) {
    inputs_.note(topic, number, offset);
    return {};
  }
  Partition& partition = partition_of({topic, number, offset, number != kUnreadablePartition});
  if (is_started_ && offset < partition.next) {
    if (!inputs_.can_rewind()) return cannot_go_back();
    needs_new_pass_ = true;
  }
  drop(partition);
  partition.floor = partition.next = std::max<int64_t>(offset, 0);
  if (!is_started_) partition.applied = std::max(partition.applied, partition.floor);
  partition.runs.forget_from(partition.next);
  partition.generation = generation;
  return {};
}

void FileSource::begin_pass() {
  needs_new_pass_ = is_at_end_ = is_first_pass_ = false;
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
  return partitions_.get(located.topic, located.partition, [&] { return located.partition < 0 || topics_.meets(located.topic); });
}

bool FileSource::accepts(Partition& partition, int64_t offset, const Input& input) {
  partition.highest = std::max(partition.highest, offset);
  if (offset >= partition.next) return true;
  if (offset < partition.applied && is_first_pass_ && input.is_regular && !input.is_known && partition.passed++ == 0)
    partition.passed_in = &input.path;
  if (offset < partition.floor) return false;
  if (layout_ == Layout::kKcat && !partition.runs.contains(offset)) {
    const std::string place = *partition.topic + "[" + std::to_string(partition.number) + "]";
    failure_ = sdk::Status::fatal(
        place + ": offset " + std::to_string(offset) + " in " + input.path + " comes after offset " + std::to_string(partition.next - 1) +
            ", and was not read before: the files are not in the order of their offsets",
        "name them in that order in paths; what lies behind it was applied by now: cdcrt progress rewind --topic " + *partition.topic +
            " --to earliest, with --empty where tables have no key");
  } else if (partition.skipped++ == 0) {
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
  if (reader_) reader_->give_back_large();
}

// In the order of the lines: who comes first counts, where two tables meet.
Partition* FileSource::oldest_pending() {
  const auto found =
      std::find_if(pending_.begin(), pending_.end(), [](const Partition* partition) { return partition->pending->count() > 0; });
  return found == pending_.end() ? nullptr : *found;
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
    if (!accepts(partition, located.offset, input)) {
      if (!failure_.ok()) return;
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
    remember(partition, line, partition.next);
    partition.next = located.offset + 1;
    partition.runs.add(located.offset);
    if (batch.count() >= batch_messages_ || batch.payload_bytes() >= batch_bytes_) {
      ready_ = &partition;
    } else if (held_ > most_held_) {
      // The oldest, in its turn, unless that would free much less than what was just taken.
      ready_ = oldest_pending();
      if (batch.reserved() > 2 * ready_->pending->reserved()) ready_ = &partition;
    }
    return;
  }
}

Reading FileSource::read_line(Deadline deadline, Line& line, sdk::Status& why) {
  const auto& inputs = inputs_.all();
  for (;;) {
    if (!reader_) {
      while (file_ < inputs.size() && inputs[file_].is_pending) leave_pending(inputs[file_++]);
      if (file_ == inputs.size()) return Reading::kEnd;
      reader_ = std::make_unique<LineReader>(inputs[file_].path, max_line_);
      why = reader_->open();
      if (!why.ok()) return Reading::kFailed;
    }
    Reading reading = reader_->next(deadline, line, why);
    done_.store(done_before_ + reader_->taken(), std::memory_order_relaxed);
    if (reading == Reading::kData && is_cut(line, reader_->is_packed(), inputs[file_])) reading = leave_end(line, file_, why);
    if (reading != Reading::kEnd) return reading;
    why = check_length(inputs[file_]);
    if (!why.ok()) return Reading::kFailed;
    note_length(inputs[file_]);
    done_before_ += reader_->taken();
    reader_.reset();
    ++file_;
  }
}

// Half a line is never taken for a whole one: whoever writes the file may not be done with it.
Reading FileSource::leave_end(Line& line, size_t file, sdk::Status& why) {
  const Input& input = inputs_.all()[file];
  const std::string place = input.path + " ends in the middle of line " + std::to_string(line.number);
  if (!inputs_.is_followed(file)) {
    if (is_first_pass_) host_.warn(place + ": the line is left for a later run, which reads it once it is whole");
    return Reading::kEnd;
  }
  if (layout_ == Layout::kKcat) {
    line.is_cut = true;
    return Reading::kData;
  }
  // What follows would pass it for ever.
  why = sdk::Status::fatal(
      place + ", and files that come after it in topic " + input.topic + " wait behind it",
      "start again once the line is whole; where its rest is lost, end it with a new line: then it becomes a dead letter");
  return Reading::kFailed;
}

void FileSource::leave_pending(const Input& input) {
  struct stat status {};
  if (is_first_pass_ && ::stat(input.path.c_str(), &status) == 0 && status.st_size > 0) {
    host_.info(input.path + " has no whole line yet: it is left for a later run");
  }
}

sdk::Status FileSource::check_length(const Input& input) {
  if (layout_ != Layout::kValues || !is_first_pass_ || !input.is_known) return {};
  const auto lines = static_cast<int64_t>(reader_->lines());
  const int64_t applied = partitions_.applied(input.topic, 0) - base_offset(input);
  const std::string anew = "to read what is there now from its beginning: cdcrt progress rewind --topic " + input.topic +
                           " --to earliest, with --empty where rows that are not in it have to go";
  if (applied <= int64_t{1} << kFileShift) {
    if (applied <= lines) return {};
    // What is appended now would pass for what is gone.
    return sdk::Status::fatal(input.path + " has " + std::to_string(lines) + " lines, but " + std::to_string(applied) +
                                  " of it were applied: it was cut, or another file has its name",
                              "put back what was read; or, " + anew);
  }
  if (input.known_lines == 0 || lines <= input.known_lines) return {};
  return sdk::Status::fatal(input.path + " has grown from " + std::to_string(input.known_lines) + " to " + std::to_string(lines) +
                                " lines after files that come behind it in topic " + input.topic +
                                " were read: its new lines would be passed over",
                            "move them into a file of their own; or, " + anew);
}

// So that a later start knows whether a file that it has left behind has grown.
void FileSource::note_length(const Input& input) {
  const auto lines = static_cast<int64_t>(reader_->lines());
  if (!keeps_notes_ || layout_ != Layout::kValues || input.note == 0 || !input.is_regular || lines == 0) return;
  Partition& note = partition_of({inputs_.topic_of_note(input), input.note, 0, false});
  const int64_t offset = ((input.number + 1) << kFileShift) + lines - 1;
  if (offset < note.next || (input.is_known && lines <= input.known_lines)) return;
  note.next = offset + 1;
  cdcrt_message message{};
  message.offset = offset;
  message.timestamp_ms = -1;
  batch_of(note).add(message, nullptr, 0);
}

// Messages that were never met lie below what was applied. That is right where they were captured again, together with what was
// applied last.
sdk::Status FileSource::check_passed() {
  sdk::Status problem;
  if (layout_ != Layout::kKcat || !is_first_pass_ || !inputs_.has_notes()) return problem;
  partitions_.each([&](Partition& partition) {
    if (partition.passed == 0 || partition.number < 0) return;
    const std::string what = *partition.topic + "[" + std::to_string(partition.number) + "]: " + std::to_string(partition.passed) +
                             (partition.passed == 1 ? " message" : " messages") + " of " + *partition.passed_in +
                             (partition.passed == 1 ? ", which was not read before, lies" : ", which was not read before, lie") +
                             " below offset " + std::to_string(partition.applied) + ", up to which the target has applied";
    partition.passed = 0;
    if (partition.highest + 1 >= partition.applied) {
      host_.warn(what + ": taken for what was applied; if it was not, cdcrt progress rewind --topic " + *partition.topic +
                 " --to earliest reads it");
    } else if (problem.ok()) {
      problem = sdk::Status::fatal(
          what + ", and nothing that is there reaches so far: another log, or a part that came late",
          "take the file out of paths where its messages were applied; or, to read what is there from its beginning: cdcrt progress rewind --topic " +
              *partition.topic + " --to earliest, with --empty where rows that are not in it have to go");
    }
  });
  return problem;
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
      case Reading::kData: deliver(line, inputs_.all()[file_]); break;
      case Reading::kEnd: is_at_end_ = true; break;
      case Reading::kWait:
        if (Partition* partition = oldest_pending()) hand_out(*partition, out);
        return {};
      case Reading::kFailed: break;
    }
    if (ready_ == nullptr && lines % kLinesBetweenClocks == 0 && std::chrono::steady_clock::now() >= deadline) {
      ready_ = oldest_pending();
      if (ready_ == nullptr) return {};
    }
    if (ready_ != nullptr) {
      hand_out(*ready_, out);
      return {};
    }
  }
  if (Partition* partition = oldest_pending()) {
    hand_out(*partition, out);
    return {};
  }
  if (failure_.ok()) failure_ = check_passed();
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
  if (!inputs_.can_rewind()) return cannot_go_back();
  return rereader_.fetch(topic, number, first, last, visit);
}

cdcrt_extent FileSource::extent() { return {done_.load(std::memory_order_relaxed), total_.load(std::memory_order_relaxed)}; }

sdk::Status FileSource::survey(cdcrt_survey& out) {
  out.left_out = left_out_;
  for (const auto& pattern : topics_.unmet()) out.unmet(out.context, sdk::borrow("topics"), sdk::borrow(pattern));
  return {};
}

void FileSource::stop() { is_stopped_ = true; }

}  // namespace cdcrt::file_source
