#include "group_consumer.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstdlib>

#include "broker_error.hpp"

namespace cdcrt::kafka_source {
namespace {

constexpr std::chrono::milliseconds kBetweenCommits{500};
constexpr std::chrono::seconds kBetweenMeasures{1};  // and as much more for each thousand partitions
constexpr std::chrono::seconds kBetweenLooksAtLanes{1};
constexpr std::size_t kOneCommit = 200;  // partitions: librdkafka looks through all of them for each one of the answer
constexpr std::chrono::seconds kMaxClose{5};
constexpr std::chrono::seconds kBetweenJoins{1};
constexpr std::chrono::minutes kBetweenFences{5};
constexpr std::chrono::seconds kWithoutPartitions{3};  // how long a member without any waits for some before it is at the end

/// For topics that appear. A look takes longer the more there are, with the square of their number: some 0.8 s of CPU for 10,000.
std::chrono::milliseconds between_looks(std::size_t topics) { return std::chrono::seconds(10) + std::chrono::milliseconds(5) * topics; }

std::chrono::milliseconds session_timeout(rd_kafka_t* handle) {
  char value[32] = "";
  std::size_t size = sizeof value;
  rd_kafka_conf_get(rd_kafka_conf(handle), "session.timeout.ms", value, &size);
  return std::chrono::milliseconds(std::strtoll(value, nullptr, 10));
}

}  // namespace

GroupConsumer::GroupConsumer(const Settings& settings, Inspector& inspector, sdk::Host host)
    : settings_(settings), inspector_(inspector), host_(host), probe_(settings, inspector, host), lanes_(settings, host_, wakeup_) {}

GroupConsumer::~GroupConsumer() { stop(); }

sdk::Status GroupConsumer::start(const cdcrt_source_events& events) {
  if (auto checked = inspector_.check(); !checked) return checked;
  if (settings_.stops_at_end) {
    if (auto remembered = remember_ends(); !remembered) return remembered;
  }
  events_ = &events;
  limit_ = IntakeLimit(settings_.max_messages_per_second);
  return join();
}

sdk::Status GroupConsumer::join() {
  const auto customize = [](rd_kafka_conf_t* configuration) {
    rd_kafka_conf_set_rebalance_cb(configuration,
                                   [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions, void* opaque) {
                                     Client::owner<GroupConsumer>(opaque).on_rebalance(code, partitions);
                                   });
    rd_kafka_conf_set_offset_commit_cb(
        configuration, [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* offsets, void* opaque) {
          auto& self = Client::owner<GroupConsumer>(opaque);
          if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) return;
          self.host_.log(CDCRT_LOG_DEBUG, "the group's offsets were not committed: " + std::string(rd_kafka_err2str(code)));
          if (offsets != nullptr) self.repeat_commits(*offsets);
        });
  };
  const Properties looks = {{"topic.metadata.refresh.interval.ms", std::to_string(between_looks(inspector_.topic_count()).count())}};
  if (auto opened = Client::open(settings_, Client::Role::kGroup, host_, this, customize, client_, looks); !opened) return opened;
  rd_kafka_t* handle = client_->get();
  rd_kafka_poll_set_consumer(handle);
  group_queue_ = rd_kafka_queue_get_consumer(handle);
  rd_kafka_queue_cb_event_enable(
      group_queue_, [](rd_kafka_t*, void* opaque) { static_cast<Wakeup*>(opaque)->ring(); }, &wakeup_);
  data_queue_ = std::make_unique<FetchQueue>(*client_, wakeup_);

  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  for (const auto& topic : settings_.topics.subscription()) rd_kafka_topic_partition_list_add(topics, topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto code = rd_kafka_subscribe(handle, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return broker_error(code, "cannot subscribe to the topics", {}, settings_);
  joined_at_ = Clock::now();
  others_are_gone_at_ = joined_at_ + session_timeout(handle) + kWithoutPartitions;
  host_.info("joining group '" + settings_.group + "'" + (settings_.instance.empty() ? "" : " as instance '" + settings_.instance + "'") +
             " at " + settings_.brokers);
  return {};
}

sdk::Status GroupConsumer::remember_ends() {
  std::vector<Key> keys;
  auto listed = inspector_.list([&](std::string_view topic, int32_t partition) {
    keys.emplace_back(topic, partition);
    return true;
  });
  if (!listed) return listed;
  std::vector<cdcrt_place> places;
  for (const auto& key : keys) places.push_back({sdk::borrow(key.first), key.second, 0, 0});
  inspector_.bounds_of(places, [&](std::size_t i, const cdcrt_bounds& bounds) { ends_[keys[i]] = bounds.end; });
  for (auto& key : keys) {
    if (ends_.count(key) > 0) continue;
    cdcrt_bounds bounds{};
    if (auto asked = inspector_.bounds(key.first, key.second, bounds); !asked) return asked;
    ends_[std::move(key)] = bounds.end;
  }
  return {};
}

void GroupConsumer::seek(std::string_view topic, int32_t partition, int64_t offset, uint32_t generation) {
  const auto found = partitions_.find(Key(topic, partition));
  if (found == partitions_.end()) return;  // taken away meanwhile
  Owned& owned = *found->second;
  drop_batch(owned);
  owned.state.seek(offset, generation);
  note_seek(owned);
  owned.reported_lost = -1;
  lost_.erase(&owned);
  owned.recent.clear();  // whoever sends it there has looked
  owned.is_suspect = false;
  owned.seek_again_at = {};
  owned.seek_fails_since.reset();
}

sdk::Status GroupConsumer::poll(std::chrono::milliseconds timeout, cdcrt_messages& out, bool& at_end) {
  at_end = false;
  const auto deadline = Clock::now() + timeout;
  if (failure_.ok()) rejoin_when_due(deadline);
  if (!client_) return std::exchange(failure_, {});
  while (true) {
    if (!failure_.ok()) return std::exchange(failure_, {});
    if (Owned* ready = next_ready()) {
      hand_out(*ready, out);
      return {};
    }
    if (!failure_.ok()) continue;
    wakeup_.arm();
    serve_group();
    if (!failure_.ok()) continue;
    if (auto trouble = trouble_of_lanes(Clock::now()); !trouble) return trouble;
    release_hold();
    apply_seeks();
    const bool had_any = drain();
    if (!failure_.ok() || !ready_.empty()) continue;
    update_extent();
    flush_commits(false);
    if (is_at_end()) {
      lag_ = 0;
      are_ends_known_ = true;
      at_end = true;
      return {};
    }
    const auto now = Clock::now();
    if (now >= deadline) return client_->silence().lasts() ? nobody_answers(*client_) : sdk::Status();
    if (had_any && drain_limit_ > 0) continue;  // all of it was outdated; there may be more
    auto until = deadline;
    for (const Owned* owned : seeking_) until = std::min(until, std::max(owned->seek_again_at, now + std::chrono::milliseconds(1)));
    if (drain_limit_ == 0) until = std::min<Clock::time_point>(until, now + limit_.wait());
    wakeup_.wait(until);
  }
}

// Said as long as it lasts: whoever asks whether this process does its work is told.
sdk::Status GroupConsumer::nobody_answers(Client& silent, const std::string& of) const {
  // They do answer, and why they refuse is what has to be known. Each time as a refusal it would be acted upon too often.
  if (silent.diagnostics().is_refused()) {
    const auto why = refused(settings_, silent.diagnostics());
    return sdk::Status::retry(std::string(why.message()), std::string(why.hint()));
  }
  return sdk::Status::retry("no Kafka broker answers" + of + " at " + settings_.brokers + ": " + silent.diagnostics().last(),
                            "reading goes on by itself when one comes back");
}

// Not only when nothing comes: while other lanes bring something nobody would be told.
sdk::Status GroupConsumer::trouble_of_lanes(Clock::time_point now) {
  if (now - lanes_looked_at_ < kBetweenLooksAtLanes) return {};
  lanes_looked_at_ = now;
  if (FetchLane* const silent = lanes_.silent()) {
    return nobody_answers(silent->client(), " one of the clients that share the topics, that of " + silent->topics_text() +
                                                " (are there files and connections enough?)");
  }
  if (failed_starts_.empty()) return {};
  return sdk::Status::retry(
      failed_starts_.text(),
      "it is tried again every " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(FailedStarts::kMost).count()) +
          " s; where it goes on, look whether memory, threads and files are enough (LimitNOFILE, ulimit), and start this "
          "process again");
}

sdk::Status GroupConsumer::serve() {
  rejoin_when_due({});
  if (!client_) return std::exchange(failure_, {});
  serve_group();
  if (failure_.ok()) fail(trouble_of_lanes(Clock::now()));
  apply_seeks();
  update_extent();
  flush_commits(false);
  return std::exchange(failure_, {});
}

bool GroupConsumer::has_all() {
  if (std::exchange(counted_at_, changed_at_) != changed_at_)
    has_all_ = std::all_of(ends_.begin(), ends_.end(), [this](const auto& each) { return partitions_.count(each.first) > 0; });
  return has_all_;
}

bool GroupConsumer::is_at_end() {
  if (!settings_.stops_at_end || !changed_at_ || !ready_.empty()) return false;
  const auto now = Clock::now();
  // The others have the rest, or nobody has: members that are gone keep theirs until their session is over.
  if (now < others_are_gone_at_ && !has_all()) return false;
  if (partitions_.empty()) return now - *changed_at_ >= kWithoutPartitions;
  const auto is_read = [](const Owned& owned) { return owned.state.is_read_to(owned.end); };
  if (unread_ != nullptr && !is_read(*unread_)) return false;
  const auto found = std::find_if(partitions_.begin(), partitions_.end(), [&](const auto& entry) { return !is_read(*entry.second); });
  unread_ = found == partitions_.end() ? nullptr : found->second.get();
  return unread_ == nullptr;
}

void GroupConsumer::commit(std::string_view topic, int32_t partition, int64_t offset) {
  Key key(topic, partition);
  if (client_ && partitions_.find(key) != partitions_.end()) commits_[std::move(key)] = offset;
}

void GroupConsumer::flush_commits(bool at_once) {
  if (commits_.empty() || client_->join_watch().is_joining()) return;
  const auto now = Clock::now();
  if (!at_once && now - committed_at_ < kBetweenCommits) return;
  committed_at_ = now;
  while (!commits_.empty() && !client_->join_watch().is_joining()) {
    rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(static_cast<int>(kOneCommit));
    for (std::size_t i = 0; i < kOneCommit && !commits_.empty(); ++i) {
      const auto next = commits_.extract(commits_.begin());
      if (partitions_.find(next.key()) != partitions_.end())
        rd_kafka_topic_partition_list_add(offsets, next.key().first.c_str(), next.key().second)->offset = next.mapped();
    }
    if (offsets->cnt > 0) rd_kafka_commit(client_->get(), offsets, 1 /* in the background */);
    rd_kafka_topic_partition_list_destroy(offsets);
  }
}

// A hint for lag tools only; but nobody tells it again where the partition rests.
void GroupConsumer::repeat_commits(const rd_kafka_topic_partition_list_t& failed) {
  for (int i = 0; i < failed.cnt; ++i) {
    const Key key(failed.elems[i].topic, failed.elems[i].partition);
    if (failed.elems[i].offset >= 0 && partitions_.find(key) != partitions_.end()) commits_.try_emplace(key, failed.elems[i].offset);
  }
}

void GroupConsumer::update_extent() {
  const auto now = Clock::now();
  if (now - measured_at_ < kBetweenMeasures * (1 + partitions_.size() / 1000)) return;
  measured_at_ = now;
  uint64_t lag = 0;
  bool are_known = true;
  for (const auto& [key, owned] : partitions_) {
    if (!owned->state.is_sought()) continue;
    int64_t low = 0, end = 0;
    if (settings_.stops_at_end) {
      end = owned->end;
    } else if (rd_kafka_get_watermark_offsets(client_of(*owned).get(), key.first.c_str(), key.second, &low, &end) !=
                   RD_KAFKA_RESP_ERR_NO_ERROR ||
               end < 0) {
      are_known = false;  // nothing was fetched of it so far
      continue;
    }
    if (end > owned->state.position()) lag += static_cast<uint64_t>(end - owned->state.position());
  }
  lag_ = lag;
  are_ends_known_ = are_known;
}

bool GroupConsumer::close() {
  rd_kafka_t* handle = client_->get();
  rd_kafka_queue_t* queue = rd_kafka_queue_new(handle);
  const auto deadline = Clock::now() + kMaxClose;
  if (rd_kafka_error_t* error = rd_kafka_consumer_close_queue(handle, queue)) {
    rd_kafka_error_destroy(error);
  } else {
    while (!rd_kafka_consumer_closed(handle) && Clock::now() < deadline) rd_kafka_queue_poll_callback(queue, 50);
  }
  const bool is_closed = rd_kafka_consumer_closed(handle) != 0;
  rd_kafka_queue_destroy(queue);
  return is_closed;
}

void GroupConsumer::stop() {
  rejoins_at_.reset();
  if (!client_ || is_stopped_) return;
  is_stopped_ = true;
  flush_commits(true);
  leave();
}

void GroupConsumer::leave() {
  if (group_queue_ != nullptr) rd_kafka_queue_cb_event_enable(group_queue_, nullptr, nullptr);
  if (data_queue_) data_queue_->silence();
  for (const auto& [key, owned] : partitions_) owned->lane = nullptr;
  lanes_.close(kMaxClose);
  const bool is_closed = close();
  while (!partitions_.empty()) {  // where closing did not come to it in time
    const Key key = partitions_.begin()->first;
    forget(key);
    events_->revoked(events_->self, sdk::borrow(key.first), key.second);
  }
  if (group_queue_ != nullptr) rd_kafka_queue_destroy(std::exchange(group_queue_, nullptr));
  data_queue_.reset();
  // Before 2.3.0 librdkafka aborts the process when a handle is destroyed between the group's join and its first assignment with
  // the cooperative strategy (https://github.com/confluentinc/librdkafka/issues/4312). And destroying may take a minute where a
  // broker is silent, or for ever after a topic was deleted (a reference is lost: CHANGELOG of 2.1.0).
  if (!changed_at_ && !settings_.is_eager && rd_kafka_version() < 0x020300ff) {
    Client::abandon(std::move(client_));
  } else {
    Client::retire(std::move(client_), std::chrono::seconds(is_closed ? 2 : 0));
  }
}

// A member with a fixed name is fenced by another process of that name, and by itself: where its session ran out while it was frozen, or
// the broker answered so late that it asked to join twice, the broker takes the second request for another process. Who it was cannot be
// told, so it joins once more. Of two processes of one name this ends the one that is fenced for the second time.
bool GroupConsumer::joins_again() {
  const auto now = Clock::now();
  if (fenced_at_ && now - *fenced_at_ < kBetweenFences) return false;
  fenced_at_ = now;
  host_.warn("the broker says that another process uses instance '" + settings_.instance + "' in group '" + settings_.group +
             "'; a process that stood still for longer than its session looks the same, so this one joins once more. It stops if that "
             "happens again within " +
             std::to_string(std::chrono::minutes(kBetweenFences).count()) + " minutes");
  leave();
  commits_.clear();
  paused_.clear();
  changed_at_.reset();
  failure_ = {};
  is_held_ = is_outage_ = has_told_of_silence_ = false;
  held_lane_ = nullptr;
  uses_lanes_ = false;
  last_owned_ = nullptr;
  last_topic_ = nullptr;
  rejoin();
  return true;
}

void GroupConsumer::rejoin() {
  rejoins_at_.reset();
  auto joined = join();
  if (joined) return;
  if (joined.code() == CDCRT_RETRY) rejoins_at_ = Clock::now() + kBetweenJoins;
  fail(std::move(joined));
  // It is no member of anything.
  if (group_queue_ != nullptr) {
    rd_kafka_queue_cb_event_enable(group_queue_, nullptr, nullptr);
    rd_kafka_queue_destroy(std::exchange(group_queue_, nullptr));
  }
  data_queue_.reset();
  if (client_) Client::retire(std::move(client_), std::chrono::seconds(0));
}

void GroupConsumer::rejoin_when_due(Clock::time_point until) {
  if (!rejoins_at_ || is_stopped_) return;
  wakeup_.arm();
  wakeup_.wait(std::min(until, *rejoins_at_));
  if (Clock::now() >= *rejoins_at_) rejoin();
}

}  // namespace cdcrt::kafka_source
