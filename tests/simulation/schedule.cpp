#include "simulation/schedule.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <vector>

#include "simulation/broker.hpp"
#include "simulation/heap.hpp"
#include "simulation/invariants.hpp"
#include "simulation/process.hpp"
#include "simulation/target.hpp"
#include "simulation/workload.hpp"

namespace cdcrt::simulation {
namespace {

constexpr Time kWatched = 60 * kSecond;  // nothing happens any more
constexpr Time kHour = 3600 * kSecond;
constexpr Time kLockTimeout = 300 * kSecond;  // to finish in once nothing goes wrong any more
constexpr uint64_t kMaxSteps = 400'000;       // of up to three processes
constexpr int kMostProcesses = 8;

// Fixed memory: it outlives schedules.
struct LeftOut {
  const char* name;
  void (*take_out)(Character&);
  bool chosen = false;
};
LeftOut left_out[] = {
    {"truncates", [](Character& own) { own.truncates = false; }},
    {"split-key-changes", [](Character& own) { own.split_key_changes = false; }},
    {"key-changes", [](Character& own) { own.key_changes = own.split_key_changes = false; }},
    {"growth", [](Character& own) { own.growth = false; }},
    {"bad-values", [](Character& own) { own.bad_values = false; }},
    {"late-columns", [](Character& own) { own.late_columns = false; }},
    {"partial-updates", [](Character& own) { own.partial = false; }},
    {"keyless-tables", [](Character& own) { own.keyless = false; }},
    {"crashes", [](Character& own) { own.crashes = 0; }},
    {"freezes", [](Character& own) { own.freezes = 0; }},
    {"outages", [](Character& own) { own.outages = 0; }},
    {"locked-tables",
     [](Character& own) {
       own.outsiders = 0;
       own.busy_calls = 0;
     }},
    {"lost-commits", [](Character& own) { own.lost_commits = 0; }},
    {"lost-calls", [](Character& own) { own.lost_calls = 0; }},
    {"foresight", [](Character& own) { own.foresees = false; }},
    {"table-locks", [](Character& own) { own.table_locks = false; }},
    {"rests", [](Character& own) { own.rests = false; }},
    {"scattered-keys", [](Character& own) { own.scattered = false; }},
    {"rebalances", [](Character& own) { own.rebalances = 0; }},
    {"crowds",
     [](Character& own) {
       own.crowd = false;
       own.joins = own.leaves = own.rolls = 0;
     }},
    {"keys-elsewhere", [](Character& own) { own.keys_elsewhere = false; }},
    {"renames", [](Character& own) { own.renames = own.renames_twice = own.told_apart = false; }},
    {"second-renames", [](Character& own) { own.renames_twice = false; }},
    {"definitions-apart", [](Character& own) { own.told_apart = false; }},
};

// On the side: what else a seed draws stays what it was.
void draw_crowd(Character& own, Random chance) {
  own.crowd = chance.chance(80);
  if (!own.crowd) return;
  own.joins = static_cast<int>(chance.between(2, kMostProcesses - own.processes));
  own.leaves = static_cast<int>(chance.between(0, 3));
  own.rolls = static_cast<int>(chance.between(0, 2));
}

void draw_character(Character& own) {
  Random& chance = random();
  const auto sometimes = [&](int64_t per_mille, int64_t most) { return chance.chance(per_mille) ? chance.between(1, most) : 0; };
  own.processes = static_cast<int>(chance.between(1, 3));
  own.decode_workers = static_cast<int>(chance.between(1, 2));
  own.connections = static_cast<int>(chance.between(1, 2));
  own.duration = chance.between(1, 12) * kSecond;
  own.latency = chance.chance(300) ? 200 * kMillisecond : 5 * kMillisecond;
  own.slow_calls = sometimes(300, 40);
  own.lost_commits = sometimes(400, 300);
  own.lost_calls = sometimes(300, 40);
  own.busy_calls = sometimes(200, 200);
  own.broker_errors = sometimes(200, 100);
  own.crashes = static_cast<int>(sometimes(500, 3));
  own.freezes = static_cast<int>(sometimes(300, 2));
  own.rebalances = static_cast<int>(sometimes(500, 4));
  own.stops = static_cast<int>(sometimes(200, 2));
  own.outages = static_cast<int>(sometimes(150, 1));
  own.outsiders = static_cast<int>(sometimes(150, 2));
  own.keyless = chance.chance(400);
  own.truncates = chance.chance(250);
  own.bad_values = chance.chance(250);
  own.late_columns = chance.chance(250);
  own.partial = chance.chance(400);
  own.key_changes = chance.chance(250);
  own.split_key_changes = chance.chance(150);
  own.growth = chance.chance(150);
  own.max_rows = chance.chance(300) ? chance.between(1, 3) : 50;
  own.max_message_bytes = chance.chance(200) ? 300 : 1 << 20;
  own.table_locks = chance.chance(300);
  own.rests = chance.chance(200);
  own.rests_long = chance.chance(10);
  draw_crowd(own, Random(Random(chance).next()));
  own.scattered = chance.chance(250);
  // A part of a row that comes before the row is a dead letter, also where its row comes later.
  if (own.scattered) own.partial = own.split_key_changes = own.keyless = false;
  own.keys_elsewhere = Random(chance).chance(200);  // on the side: what else a seed draws stays what it was
  // Rows of parts do not tell what a column that they lack became; a partition that is added has no definition of its own.
  own.renames = Random(chance).chance(300) && !own.partial && !own.split_key_changes && !own.growth && !own.keys_elsewhere;
  Random side(chance);
  (void)side.next();
  own.told_apart = own.renames && side.chance(500);
  own.renames_twice = own.renames && side.chance(400);
  own.foresees = side.chance(500) && !own.table_locks;
  for (const LeftOut& each : left_out) {
    if (each.chosen) each.take_out(own);
  }
}

class Schedule {
 public:
  Schedule(uint64_t seed, std::string folder) : state_(seed), folder_(std::move(folder)) {
    set_state(&state_);
    draw_character(state_.character);
    manifest_ = make_manifest();
    workload_ = std::make_unique<Workload>();
    broker_ = std::make_unique<Broker>(*workload_);
    target_ = std::make_unique<Target>();
    invariants_ = std::make_unique<Invariants>(*target_, *broker_);
    simulation::broker() = broker_.get();
    simulation::target() = target_.get();
    target_->committed = [this](const Transaction& transaction) { invariants_->check(transaction); };
  }

  void run() {
    if (is_tracing()) std::printf("%s", workload_->describe().c_str());
    plan();
    while (state_.failure.empty()) {
      if (!state_.scheduler.step()) {
        restart_ended();
        if (state_.scheduler.step()) continue;
        fail("nothing can go on any more");
        break;
      }
      if (state_.scheduler.steps() % 16 != 0) continue;
      restart_ended();
      if (state_.faults) continue;
      const bool done = is_done();
      if (done && is_quiet()) break;
      if (!done) settled_ = quiet_until_ = 0;
      if (settled_ == 0 && (state_.scheduler.now() > state_.character.duration + kLockTimeout || state_.scheduler.steps() > max_steps()))
        fail("it does not finish" + where());
    }
    if (state_.failure.empty()) compare();
  }

  [[nodiscard]] const State& state() const { return state_; }

 private:
  void plan() {
    Random& chance = random();
    Scheduler& events = state_.scheduler;
    const Character& own = state_.character;
    const auto some_time = [&] { return chance.below(own.duration); };
    for (int i = 0; i < own.processes; ++i) events.at(i == 0 ? 0 : some_time() / 2, [this] { start(); });
    // Some of the log is there from the start.
    const auto early = static_cast<std::size_t>(chance.below(static_cast<int64_t>(workload_->events.size())));
    for (std::size_t i = 0; i < workload_->events.size(); ++i) {
      events.at(i < early ? 0 : some_time(), [this] { produce(); });
    }
    for (int i = 0; i < own.crashes; ++i) events.at(some_time(), [this] { crash(); });
    for (int i = 0; i < own.freezes; ++i) events.at(some_time(), [this] { freeze(); });
    for (int i = 0; i < own.stops; ++i) events.at(some_time(), [this] { stop(); });
    for (int i = 0; i < own.joins; ++i) events.at(some_time(), [this] { start(); });
    for (int i = 0; i < own.leaves; ++i) events.at(some_time(), [this] { leave(); });
    for (int i = 0; i < own.rolls; ++i) events.at(some_time(), [this] { roll(live()); });
    for (int i = 0; i < own.rebalances; ++i) events.at(some_time(), [this] { broker_->rebalance(false); });
    for (int i = 0; i < own.outages; ++i) {
      const Time from = some_time(), to = from + chance.below(own.duration - from);
      const bool of_broker = chance.chance(300);
      bool& down = of_broker ? broker_->down : target_->down;
      events.at(from, [&down, of_broker] {
        CDCRT_TRACE(of_broker ? "the broker is down" : "the target is down");
        down = true;
      });
      events.at(to, [&down] { down = false; });
    }
    for (int i = 0; i < own.outsiders; ++i) {
      const Time from = some_time(), to = from + chance.below(own.duration - from);
      const std::string name =
          "shop." + workload_->tables[static_cast<std::size_t>(chance.below(static_cast<int64_t>(workload_->tables.size())))].name;
      events.at(from, [this, name, to] { lock_out(name, to); });
    }
    events.at(own.duration, [this] {
      CDCRT_TRACE("---- from now on nothing goes wrong");
      state_.faults = false;
      broker_->down = target_->down = false;
      target_->lock_timeout = 5 * kSecond;
      while (live().empty()) start();
    });
  }

  // Partitions that were there before the pipeline first looked are not known to be younger: topics grow once they are known.
  void produce() {
    if (broker_->is_growing_next() && invariants_->watermarks().size() < broker_->logs.size()) {
      state_.scheduler.at(state_.scheduler.now() + 100 * kMillisecond, [this] { produce(); });
      return;
    }
    broker_->produce();
    state_.scheduler.wake(broker_.get());
  }

  // An outsider holds the table alone for a while.
  void lock_out(const std::string& name, Time until) {
    StoredTable* table = target_->find(name);
    if (table == nullptr || table->alone != nullptr || !table->users.empty()) return;
    Transaction* outsider = target_->begin(-1);
    (void)target_->use_alone(*outsider, *table);
    CDCRT_TRACE("an outsider locks " + name);
    state_.scheduler.at(until, [this, outsider] { target_->roll_back(outsider); });
  }

  void start() {
    const int number = static_cast<int>(processes_.size());
    const std::string dead_letters = folder_ + "/" + std::to_string(number);
    (void)::unlink(dead_letters.c_str());
    processes_.push_back(std::make_unique<Process>(number, manifest_, dead_letters));
    alive_.push_back(true);
  }

  [[nodiscard]] std::vector<Process*> live() const {
    std::vector<Process*> live;
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (alive_[i] && !processes_[i]->ended()) live.push_back(processes_[i].get());
    }
    return live;
  }

  Process* some_process() {
    const auto all = live();
    return all.empty() ? nullptr : all[static_cast<std::size_t>(random().below(static_cast<int64_t>(all.size())))];
  }

  void later_start() {
    state_.scheduler.at(state_.scheduler.now() + random().below(2 * kSecond), [this] { start(); });
  }

  void crash() {
    Process* process = some_process();
    if (process == nullptr) return;
    CDCRT_TRACE("process " + std::to_string(process->number()) + " crashes");
    alive_[static_cast<std::size_t>(process->number())] = false;
    state_.scheduler.kill(process->number());
    target_->disconnect_all(process->number());
    if (random().chance(300)) broker_->leave(process->number());
    later_start();
  }

  void freeze() {
    Process* process = some_process();
    if (process == nullptr) return;
    const Time until = state_.scheduler.now() + random().below(10 * kSecond);
    CDCRT_TRACE("process " + std::to_string(process->number()) + " freezes until " + std::to_string(until / kMillisecond) + " ms");
    state_.scheduler.freeze(process->number(), until);
    const int number = process->number();
    if (random().chance(500))
      state_.scheduler.at(state_.scheduler.now() + random().below(3 * kSecond), [this, number] { target_->disconnect_all(number); });
  }

  void stop() {
    if (Process* process = some_process(); process != nullptr) process->stop();
  }

  // For good: nobody is started in its place.
  void leave() {
    if (live().size() < 2) return;
    Process* process = some_process();
    CDCRT_TRACE("process " + std::to_string(process->number()) + " leaves");
    alive_[static_cast<std::size_t>(process->number())] = false;
    process->stop();
  }

  // As an upgrade does: one after the other is ended, and another started in its place.
  void roll(std::vector<Process*> left) {
    if (left.empty() || !state_.faults) return;
    Process* process = left.back();
    left.pop_back();
    if (alive_[static_cast<std::size_t>(process->number())]) process->stop();
    state_.scheduler.at(state_.scheduler.now() + random().below(2 * kSecond), [this, left = std::move(left)] { roll(left); });
  }

  void restart_ended() {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      if (!alive_[i] || !processes_[i]->ended()) continue;
      alive_[i] = false;
      later_start();
    }
  }

  bool is_done() {
    if (!broker_->produced_all()) return false;
    const auto watermarks = invariants_->watermarks();
    return std::all_of(broker_->logs.begin(), broker_->logs.end(), [&](const auto& each) {
      const auto found = watermarks.find(each.first);
      return each.second.end() == 0 || (found != watermarks.end() && found->second >= each.second.end());
    });
  }

  [[nodiscard]] uint64_t max_steps() const {
    return kMaxSteps * static_cast<uint64_t>(1 + (state_.character.processes + state_.character.joins - 1) / 3);
  }

  // Who asks to be left alone is: after the last watermarks and looks nothing reaches the target any more.
  bool is_quiet() {
    if (!state_.character.rests) return true;
    const Time now = state_.scheduler.now();
    if (settled_ == 0) settled_ = now + 2 * kWatched;
    if (now < settled_) return false;
    if (quiet_until_ == 0) {
      quiet_until_ = now + (state_.character.rests_long ? kHour : kWatched);
      calls_ = state_.calls;
    }
    if (state_.calls != calls_) fail("the target is asked although nothing happens" + where());
    return now >= quiet_until_;
  }

  std::string where() const {
    std::string text;
    const auto watermarks = invariants_->watermarks();
    for (const auto& [place, log] : broker_->logs) {
      const auto found = watermarks.find(place);
      text += "\n  " + workload_->topics[static_cast<std::size_t>(place.first)].name + "[" + std::to_string(place.second) + "] ends at " +
              std::to_string(log.end()) + ", applied up to " + (found == watermarks.end() ? "-" : std::to_string(found->second));
    }
    for (const Process* process : live()) text += "\n  process " + std::to_string(process->number()) + ": " + process->describe();
    return text;
  }

  void compare() {
    for (std::size_t i = 0; i < workload_->tables.size(); ++i) {
      const auto& table = workload_->tables[i];
      const std::string differs = difference(workload_->expected(static_cast<int>(i)), committed_rows(*target_, *workload_, i));
      if (!differs.empty()) fail("in the end the rows of " + table.name + " are not those of the source:" + differs);
      const StoredTable* stored = target_->table("shop." + table.name);
      const std::set<std::string> names(workload_->names_of_c.begin(), workload_->names_of_c.end());
      const auto is_one_of_c = [&](const StoredColumn& column) {
        return names.contains(column.name) || column.name.starts_with("cdcrt_former_");
      };
      if (stored != nullptr && std::count_if(stored->columns.begin(), stored->columns.end(), is_one_of_c) > 1) {
        fail("in the end " + table.name + " has a column beside the one that it was renamed to");
      }
    }
    compare_dead_letters();
  }

  // A truncate that another process applies while a part of a row is tried takes the row away before its change.
  bool is_moot(const Event& event) const {
    return event.operation == CDCRT_UPDATE && std::any_of(workload_->events.begin(), workload_->events.end(), [&](const Event& later) {
             return later.table == event.table && later.order > event.order && later.operation == CDCRT_TRUNCATE;
           });
  }

  // Every dead letter is of an event that the target refuses, or that waits for one of those; what nothing later made up for has one.
  void compare_dead_letters() {
    std::set<std::pair<Place, int64_t>> found;
    for (const auto& process : processes_) {
      std::FILE* file = std::fopen(process->dead_letters().c_str(), "r");
      if (file == nullptr) continue;
      std::set<std::string> ids;
      char line[4096];
      while (std::fgets(line, sizeof line, file) != nullptr) {
        const std::string text(line);
        const std::size_t start = text.find("\"id\":\"events/") + 13;
        const std::string id = text.substr(start, text.find('"', start) - start);
        if (!ids.insert(id).second) fail("a process wrote dead letter " + id + " twice");
        const std::size_t slash = id.find('/'), next = id.find('/', slash + 1);
        const Place place{broker_->topic_of(id.substr(0, slash)), std::stoi(id.substr(slash + 1, next - slash - 1))};
        const int64_t offset = std::stoll(id.substr(next + 1));
        found.insert({place, offset});
        const bool right = std::any_of(workload_->events.begin(), workload_->events.end(), [&](const Event& event) {
          if (event.topic != place.first || event.partition != place.second || event.offset != offset) return false;
          return !event.good() || (text.find("\"reason\":\"row_missing\"") != std::string::npos && is_moot(event));
        });
        if (!right) fail("a dead letter of an event that is good: " + text);
      }
      std::fclose(file);
      (void)::unlink(process->dead_letters().c_str());
    }
    for (const Event& event : workload_->events) {
      if (event.good() || found.contains({{event.topic, event.partition}, event.offset})) continue;
      const bool made_up = std::any_of(workload_->events.begin(), workload_->events.end(),
                                       [&](const Event& later) {
                                         if (later.table != event.table || later.order <= event.order) return false;
                                         if (later.operation == CDCRT_TRUNCATE) return true;
                                         if (later.operation == CDCRT_DEFINITION) return false;
                                         if (!workload_->tables[static_cast<std::size_t>(event.table)].keyed) return false;
                                         const Value& key = event.cells[0];
                                         return (later.cells[0] == key || (!later.before.empty() && later.before[0] == key)) &&
                                                later.cells[kColumnA].kind != Value::kUnchanged;
                                       }) ||
                           std::any_of(workload_->events.begin(), workload_->events.end(), [&](const Event& later) {
                             return later.table == event.table && later.order > event.order && later.operation == CDCRT_DELETE &&
                                    later.cells[0] == event.cells[0];
                           });
      if (!made_up) fail("no dead letter tells of " + event.show());
    }
  }

  State state_;
  Time settled_ = 0, quiet_until_ = 0;
  uint64_t calls_ = 0;
  const std::string folder_;
  manifest::Manifest manifest_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Invariants> invariants_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<bool> alive_;
};

}  // namespace

bool leave_out(std::string_view what) {
  for (LeftOut& each : left_out) {
    if (what != each.name) continue;
    each.chosen = true;
    return true;
  }
  return false;
}

Outcome run_schedule(uint64_t seed, const std::string& folder) {
  static char text[16 << 10];
  text[0] = 0;
  Outcome outcome;
  // Files of crashed processes stay open until then.
  const int first_file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  begin_heap();
  {
    auto* schedule = new Schedule(seed, folder);
    schedule->run();
    const State& state = schedule->state();
    std::snprintf(text, sizeof text, "%s", state.failure.c_str());
    outcome.steps = state.scheduler.steps();
    outcome.virtual_ms = state.scheduler.now() / kMillisecond;
    const_cast<State&>(state).scheduler.~Scheduler();  // gives back the stacks; nothing else outlives the heap
    set_state(nullptr);
  }
  end_heap();
  (void)::close_range(static_cast<unsigned>(first_file), ~0U, 0);
  outcome.failure = text;
  return outcome;
}

}  // namespace cdcrt::simulation
