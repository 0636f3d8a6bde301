#include "apply/target_connection.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include "apply/target_trial.hpp"

namespace cdcrt::apply {
namespace {

// SQLSTATEs that speak of the server or of the session: resources, its disk, cursors, transactions. Triggers and functions of a table
// raise them too, and a damaged file of one table does.
bool may_be_of_a_table(const Error& error) {
  static constexpr std::array<std::string_view, 8> kClasses = {"07", "24", "25", "26", "34", "53", "57", "58"};
  return is_outage(error) && error.sqlstate.size() == 5 &&
         std::any_of(kClasses.begin(), kClasses.end(), [&](std::string_view each) { return error.sqlstate.starts_with(each); });
}

}  // namespace

Result<void> TargetConnection::connect() {
  if (connection_ && connection_->is_broken()) connection_.reset();
  if (connection_) return {};
  auto opened = context_.sink.open();
  if (!opened) {
    // Credentials that were right at the start are being changed: the operator mends them while we wait.
    if (opened.error().code == CDCRT_AUTH) opened.error().code = CDCRT_UNREACHABLE;
    return std::move(opened.error());
  }
  connection_.emplace(std::move(*opened));
  return {};
}

void TargetConnection::roll_back() {
  if (!connection_) return;
  if (auto rolled_back = connection_->rollback(); !rolled_back) connection_.reset();
}

std::unique_lock<std::mutex> TargetConnection::take_turn() {
  return context_.turn != nullptr ? std::unique_lock(*context_.turn) : std::unique_lock<std::mutex>();
}

Result<void> TargetConnection::run(const std::function<Result<void>(plugin::Connection&)>& body) {
  auto done = connect();
  if (done) {
    const auto turn = take_turn();
    done = body(*connection_);
  }
  if (!done && is_outage(done.error())) connection_.reset();
  return done;
}

Outcome TargetConnection::try_once(const std::function<Outcome()>& body) {
  has_lost_connection_ = false;
  const bool was_connected = connection_.has_value();
  if (auto connected = connect(); !connected) {
    if (context_.counts != nullptr) context_.counts->failed(Next::kWaitForTarget);
    return connected;
  }
  const auto turn = take_turn();
  Outcome outcome = body();
  if (!outcome && context_.counts != nullptr) context_.counts->failed(outcome.next());
  if (was_connected && outcome.next() == Next::kWaitForTarget) {
    roll_back();  // of nothing: it tells whether the connection still works
    has_lost_connection_ = !connection_;
  }
  return outcome;
}

Outcome TargetConnection::retry(const Undertaking& undertaking, const std::function<Outcome()>& body) {
  while (true) {
    Outcome outcome = try_once(body);
    if (!outcome.waits()) {
      reached(undertaking.is_last);
      return outcome;
    }
    if (!undertaking.commit_unknown && outcome.next() == Next::kWaitForLock && takes_too_long(outcome, undertaking.table)) {
      is_locked_whole(outcome) ? gives_way() : reached(undertaking.is_last);
      return Outcome::detach(std::move(outcome.error()));
    }
    if (!undertaking.commit_unknown && may_be_of_a_table(outcome.error()) && takes_too_long(outcome, undertaking.table) &&
        takes_other_rows()) {
      reached(undertaking.is_last);
      return Outcome::detach(std::move(outcome.error()));
    }
    if (auto waited = wait(outcome); !waited) return waited;
  }
}

// The others go on; or all of them wait for the same, and it is left to the next start where this one ends.
bool TargetConnection::takes_too_long(const Outcome& failed, const Table& table) const {
  if (context_.stall_after.count() == 0) return true;
  if (is_locked_whole(failed)) return context_.stopping && context_.stopping();
  if (failures_ == 0) return false;
  return std::chrono::steady_clock::now() - failing_since_ >= context_.stall_after || (context_.crowded && context_.crowded(table));
}

// Where only one connection may write, whoever locks something locks all of it.
bool TargetConnection::is_locked_whole(const Outcome& failed) const {
  return failed.next() == Next::kWaitForLock && context_.turn != nullptr;
}

// Exponential back-off with jitter.
Outcome TargetConnection::wait(const Outcome& failed) {
  const Error& error = failed.error();
  const bool lost = failed.next() == Next::kWaitForTarget, outage = lost || is_locked_whole(failed);
  if (context_.outage != nullptr) context_.outage->locked(this, !lost);
  const bool is_first = failures_++ == 0;
  if (is_first) failing_since_ = std::chrono::steady_clock::now();
  // The target may be well: it ended a connection that was idle, or was away while nothing was to be written and has come back.
  if (is_first && has_lost_connection_) return {};
  const bool is_told = told_outage_;
  told_outage_ = told_outage_ || outage;
  if (outage && context_.outage != nullptr) {
    if (const auto text = context_.outage->fails(this, error)) context_.warn(*text);
  } else if (outage && !is_told) {
    context_.warn("waiting for the target: " + explain(error));
  }
  if (lost) connection_.reset();
  static thread_local std::minstd_rand random(std::random_device{}());
  const double ceiling = std::min(lost ? 30.0 : 2.0, 0.05 * static_cast<double>(1U << std::min(failures_, 10U)));
  auto left = std::chrono::duration<double>(std::uniform_real_distribution<>(ceiling / 2, ceiling)(random));
  while (left.count() > 0) {
    if (context_.gives_up()) return lost ? Outcome::stop(error) : Outcome::detach(error);
    if (context_.pause) {
      context_.pause(std::chrono::duration_cast<std::chrono::microseconds>(left));
      return {};
    }
    const auto step = std::min(left, std::chrono::duration<double>(0.05));
    std::this_thread::sleep_for(step);
    left -= step;
  }
  return {};
}

// Whether the target takes what is of no table: then what it refuses is that table's own trouble.
bool TargetConnection::takes_other_rows() {
  if (context_.progress_schema.empty()) return false;
  connection_.reset();  // what is left of the session says nothing
  if (!connect()) return false;
  const auto turn = take_turn();
  const auto tried = try_row(*connection_, context_.sink.has(CDCRT_SINK_SCHEMAS), context_.progress_schema);
  return tried.ok() || tried.error().code == CDCRT_UNSUPPORTED || tried.error().code == CDCRT_BAD_CONFIG;  // no right to make a table
}

// Leaves what failed to others: nothing is known of the target.
void TargetConnection::gives_way() {
  failures_ = 0;
  if (std::exchange(told_outage_, false) && context_.outage != nullptr) (void)context_.outage->works(this);
  if (context_.outage != nullptr) context_.outage->locked(this, false);
}

// A batch that got through says nothing of one that failed with it and is still to be tried: the outage may be of that table alone.
void TargetConnection::reached(bool is_last) {
  if (context_.outage != nullptr) context_.outage->locked(this, false);
  failures_ = 0;
  if (!told_outage_ || !is_last) return;
  told_outage_ = false;
  if (context_.outage != nullptr && context_.outage->works(this)) context_.warn("the target answers again");
}

}  // namespace cdcrt::apply
