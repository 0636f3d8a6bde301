// What every part of a running schedule can reach: chance, the trace, and the way to say that an invariant is broken.
#pragma once

#include <functional>
#include <string>

#include "simulation/random.hpp"
#include "simulation/scheduler.hpp"

namespace cdcrt::simulation {

/// What this schedule is like; drawn from its seed. Per mille where not said otherwise.
struct Character {
  int processes = 2;
  int decode_workers = 1, connections = 1;
  Time duration = 0;            ///< of the time in which things go wrong
  Time latency = kMillisecond;  ///< of a call, at most (usually)
  int64_t slow_calls = 0;       ///< take up to two seconds
  int64_t lost_commits = 0, lost_calls = 0, busy_calls = 0, broker_errors = 0;
  int crashes = 0, freezes = 0, rebalances = 0, stops = 0, outages = 0, outsiders = 0;  ///< how many
  bool crowd = false;  ///< up to eight processes, topics of more partitions
  int joins = 0, leaves = 0,
      rolls = 0;  ///< how many: processes more; that end for good; rounds in which all are ended and started one by one
  bool keyless = false, truncates = false, bad_values = false, late_columns = false, partial = false;
  bool key_changes = false, split_key_changes = false, growth = false, retention = false;
  bool rests = false;           ///< the target is left alone while nothing happens; in the end that is watched for a while
  bool rests_long = false;      ///< an hour
  bool scattered = false;       ///< tables are kept in source order: changes of one key, and its row of the snapshot, are in any partition
  bool keys_elsewhere = false;  ///< rows of some tables do not tell their key: a definition does, earlier or later, in any partition
  bool renames = false;         ///< a column gets another name, which a definition in any partition tells
  bool renames_twice = false;   ///< it gets a third name later, or its first one again
  bool told_apart = false;      ///< definitions come in a topic of their own, which nothing says before the first of them is read
  bool table_locks = false;     ///< the target locks tables only, and each transaction sees one snapshot
  bool foresees = false;        ///< the sink saves waits as `postgresql` does
  int64_t max_rows = 50, max_message_bytes = 1 << 20;
};

struct State {
  explicit State(uint64_t seed) : random(seed) {}
  Random random;
  Scheduler scheduler;
  Character character;
  uint64_t calls = 0;   ///< of the target
  bool faults = true;   ///< false: what is left is to be finished
  std::string failure;  ///< first one; empty: none
};

/// Of the running schedule; null outside.
State* state();
void set_state(State* state);
inline Random& random() { return state()->random; }
inline Scheduler& scheduler() { return *current_scheduler(); }
inline const Character& character() { return state()->character; }

/// Whether `per_mille` of all calls go wrong here, as long as anything may.
inline bool goes_wrong(int64_t per_mille) { return state()->faults && random().chance(per_mille); }
/// How long a bounded wait really takes.
Time late_wake();
/// A call that takes time: others run meanwhile.
void take_time();

void set_tracing(bool on);
bool is_tracing();
/// A line of the trace, with time, process and thread.
void trace(const std::string& line);
#define CDCRT_TRACE(text)                                                \
  do {                                                                   \
    if (cdcrt::simulation::is_tracing()) cdcrt::simulation::trace(text); \
  } while (false)

/// The first one is kept; the schedule ends.
void fail(const std::string& what);

}  // namespace cdcrt::simulation
