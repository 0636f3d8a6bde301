// SinkRuntime's part of the coordinator's work: low watermarks, and a look at the target while nothing is written.
#include <algorithm>
#include <utility>

#include "runtime/log.hpp"
#include "runtime/sink_runtime.hpp"

namespace cdcrt::runtime {
namespace {

// A look costs a row of each partition: where there are very many, fewer of them a second.
constexpr auto kMinLook = std::chrono::seconds(1);
constexpr auto kMaxLook = std::chrono::seconds(5);
constexpr std::size_t kPartitionsPerSecond = 1000;
// While nobody has anything to write a look only tells whether the target is there, and of what an operator did.
constexpr auto kRestingLook = std::chrono::seconds(5);

bool is_outage(const Error& error) { return error.code == CDCRT_RETRY || error.code == CDCRT_UNREACHABLE || error.code == CDCRT_AUTH; }

}  // namespace

// An outage is told also where no writer meets it, since nothing is to be written. Once is none: the connection may be from before one that
// is over.
Result<void> SinkRuntime::watch_outage(const Result<void>& done) {
  const bool is_again = std::exchange(has_failed_look_, !done);
  if (done) {
    if (outage_.works(background_writer_.get())) log(CDCRT_LOG_WARNING, component(), "the target answers again");
  } else if (is_again && is_outage(done.error())) {
    if (const auto text = outage_.fails(background_writer_.get(), done.error())) log(CDCRT_LOG_WARNING, component(), *text);
  }
  return done;
}

// A truncate of another process may have sent a partition back that has nothing to write, and would not notice by itself. Where nobody else
// has anything to write that cannot happen: whoever is paid for being asked is left alone then, and a lease is checked when there is
// something to write.
Result<void> SinkRuntime::look_at_target() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return {};
  std::vector<const progress::Partition*> owned;
  for (const Flow* flow : context_.flows.all()) {
    if (flow->partition.is_assigned() && flow->partition.owned()) owned.push_back(&flow->partition);
  }
  if (!context_.lost) owned.clear();
  const bool is_left_alone = sink_->has(CDCRT_SINK_RESTS);
  const bool rests = owned.empty() || (is_left_alone && !must_look_ && context_.others_rest && context_.others_rest(*this));
  if (rests && is_left_alone) {
    if (!is_left_alone_.exchange(true)) ++rests_;
    return {};
  }
  is_left_alone_ = false;
  const auto pause = rests
                         ? kRestingLook
                         : std::clamp<std::chrono::seconds>(std::chrono::seconds(owned.size() / kPartitionsPerSecond), kMinLook, kMaxLook);
  auto looked =
      watch_outage(owned.empty() ? background_writer_->run([this](plugin::Connection& connection) { return store_->look(connection); })
                                 : look_at_leases(owned));
  must_look_ = must_look_ && !looked;
  next_look_ = now + (looked ? pause : std::chrono::duration_cast<std::chrono::seconds>(kMinLook));
  return looked;
}

Result<void> SinkRuntime::look_at_leases(const std::vector<const progress::Partition*>& partitions) {
  std::vector<const progress::Partition*> lost;
  std::map<progress::PartitionKey, progress::StoredPartition> watermarks;
  auto looked = background_writer_->run([&](plugin::Connection& connection) -> Result<void> {
    // How far the others are, first: whatever sent a partition back was done before its process went on.
    if (context_.others_rest && sink_->has(CDCRT_SINK_RESTS)) {
      if (auto begun = connection.begin(); !begun) return begun;
      auto kept = store_->read_watermarks(connection);
      auto ended = connection.rollback();
      if (!kept) return std::move(kept.error());
      if (!ended) return ended;
      watermarks = std::move(*kept);
    }
    auto looked_at = store_->look(connection, partitions);
    if (!looked_at) return std::move(looked_at.error());
    lost = std::move(*looked_at);
    return {};
  });
  if (!looked) return looked;
  if (!watermarks.empty()) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, kept] : watermarks) {
      progress::StoredPartition& partition = stored_.partitions[key];
      partition.next_offset = kept.next_offset;
      partition.exact = kept.exact;
    }
  }
  for (const progress::Partition* partition : lost) context_.lost(*partition);
  return {};
}

Result<void> SinkRuntime::save_watermarks() {
  if (!store_) return {};
  clean_after_ended_processes();
  if (auto looked = look_at_target(); !looked) return looked;
  // Everything that moves a watermark, or is a dead letter, notifies.
  const uint64_t changes = context_.monitor.changes();
  if (changes == saved_changes_ && !has_notes_) return {};
  if (auto saved = watch_outage(save_moved_watermarks()); !saved) return saved;
  saved_changes_ = changes;
  return save_troubles();
}

Result<void> SinkRuntime::save_moved_watermarks() {
  const auto lock = store_->lock_watermarks();
  std::vector<progress::Store::Watermark> moved;
  for (const Flow* flow : context_.flows.all()) {
    if (!flow->partition.owned()) continue;
    // The position is read before the tables: what they take after it can only be above it.
    const uint32_t session = flow->partition.session();
    // Not one that may be of another log: it would hide that from the next start.
    const progress::LastMessage last = flow->partition.is_assigned() ? flow->partition.anchor() : flow->partition.last();
    int64_t low = flow->partition.routed_next();
    for (const apply::Table* table : watch_.readers_of(flow->partition)) {
      if (const auto held = table->first_unapplied(flow->partition)) low = std::min(low, *held);
    }
    const bool lowered = store_->take_lowered(flow->partition);
    const std::lock_guard guard(mutex_);
    if (lowered) saved_watermarks_.erase(&flow->partition);
    const auto saved = saved_watermarks_.find(&flow->partition);
    const bool has_moved =
        saved == saved_watermarks_.end() ? low > 0 : saved->second.next_offset != low || saved->second.last_offset != last.offset;
    if (has_moved) moved.push_back({&flow->partition, low, last, session});
  }
  if (auto saved = background_writer_->save_watermarks(moved); !saved) return saved;
  const std::lock_guard guard(mutex_);
  for (const auto& watermark : moved) saved_watermarks_[watermark.partition] = {watermark.next_offset, watermark.last.offset};
  return {};
}

// For people: what cannot be stored now is tried again with what follows.
Result<void> SinkRuntime::save_troubles() {
  auto troubles = watch_.take_troubles();
  std::map<std::string, std::optional<progress::StoredTrouble>> rows;
  std::map<std::string, progress::StoredMatch> matches;
  {
    const std::lock_guard lock(mutex_);
    has_notes_ = false;
    for (const auto& name : accepted_) rows[name] = std::nullopt;
    matches = new_matches_;
  }
  for (const auto& [table, trouble] : troubles) rows[table->identity().target()] = trouble;
  if (rows.empty() && matches.empty()) return {};
  auto saved = background_writer_->run([&](plugin::Connection& connection) { return store_->save_troubles(connection, rows, matches); });
  const std::lock_guard lock(mutex_);
  if (saved) {
    for (const auto& [name, trouble] : rows) accepted_.erase(name);
    // What was found meanwhile has its turn.
    std::erase_if(new_matches_, [&](const auto& each) {
      const auto stored = matches.find(each.first);
      return stored != matches.end() && stored->second.met == each.second.met;
    });
    return {};
  }
  watch_.give_back(std::move(troubles));
  has_notes_ = true;
  return saved.error().code == CDCRT_FATAL ? std::move(saved) : Result<void>();
}

std::vector<Match> SinkRuntime::keep(std::vector<Match> matches) {
  std::vector<Match> unmet;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::lock_guard lock(mutex_);
  for (Match& match : matches) {
    if (store_) {
      const auto [known, added] = stored_.matches.try_emplace(match.entry);
      if (!added && known->second.met) continue;
      if (added || match.met || known->second.reason != match.why) {
        known->second = {match.met, match.met ? std::string() : match.why, now};
        new_matches_[match.entry] = known->second;
        has_notes_ = true;
      }
    }
    if (!match.met) unmet.push_back(std::move(match));
  }
  return unmet;
}

// No target table is called so.
std::string SinkRuntime::refused_name(const route::SourceName& source) {
  return source.name + (source.server.empty() ? " (source)" : " of server " + source.server);
}

void SinkRuntime::accepted(const route::SourceName& source) {
  const std::lock_guard lock(mutex_);
  if (!store_ || stored_.troubles.empty()) return;
  const auto told = stored_.troubles.find(refused_name(source));
  if (told == stored_.troubles.end()) return;
  accepted_.insert(told->first);
  stored_.troubles.erase(told);
  has_notes_ = true;
}

}  // namespace cdcrt::runtime
