// Dead letters of a run: messages that could not be decoded or stored, kept before the commit that passes them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dead_letters/announcements.hpp"
#include "dead_letters/budget.hpp"
#include "dead_letters/dead_letter.hpp"
#include "dead_letters/destination.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::progress {
class Store;
}

namespace cdcrt::dead_letters {

/// The transaction whose progress passes the dead letters. Without one, those that are kept in a target wait for the next.
struct Passing {
  plugin::Connection* connection = nullptr;
  progress::Store* store = nullptr;
};

/// What flush() wrote. While it lives no other transaction takes the same dead letters along.
struct Flushed {
  uint64_t mark = 0;  ///< committed() takes it; 0: nothing waits for a transaction
  std::unique_lock<std::mutex> turn;
};

/// Ids of the latest dead letters, so that none is written twice. Not thread-safe.
class RecentDeadLetters {
 public:
  static constexpr std::size_t kMaxDeadLetters = 20'000;
  /// False: it is among them.
  bool add(const DeadLetter& dead_letter);

 private:
  using Id = std::pair<uint32_t, int64_t>;  ///< what dead letters share, by number, and the offset
  std::map<std::string, uint32_t> shared_;
  std::set<Id> ids_;
  std::deque<Id> order_;
};

/// Thread-safe. Each (source, topic, partition, offset, sink, table) is written once, unless it comes again very much later; after a
/// crash an id may come again too, readers keep the first.
class DeadLetters {
 public:
  /// Into a file; nothing is opened before the first dead letter.
  explicit DeadLetters(const std::string& path) : DeadLetters(to_file(path), Budget({}, 0)) {}
  DeadLetters(std::unique_ptr<Destination> destination, const Budget& budget);
  ~DeadLetters();
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;

  /// Before the first dead letter: they go into the targets, each in a transaction that passes it. Those of no sink that keeps progress
  /// go to `home`, which does; `sinks`: all that do.
  void keep_in_targets(const std::vector<std::string>& sinks, const std::string& home, const std::string& place);
  /// Before the first dead letter.
  void send_to(std::unique_ptr<Destination> destination);

  /// Before the first dead letter: whether the destination takes any. UNREACHABLE with the place and what to do.
  Result<void> check();
  /// Before the first dead letter: bytes of dead letters that are not written yet are counted here as well.
  void count_in(std::atomic<int64_t>& bytes) { counter_ = &bytes; }
  /// Before the first dead letter: told of the first dead letter of each table and reason, and of their number now and then.
  void announce(std::function<void(const std::string& line)> tell) { tell_ = std::move(tell); }

  /// That many messages were read; for the budget.
  void read(uint64_t messages);
  void add(const DeadLetter& dead_letter);
  /// Makes every dead letter durable, or writes those of the store's sink in its transaction; called before a commit that passes them.
  /// RETRY: the destination refused. FATAL: the budget is exceeded, nothing may pass. The answer is kept until the transaction has
  /// ended; nothing that others may hold is waited for after it.
  Result<Flushed> flush(const Passing& passing = {});
  /// Writes buffered dead letters once they are 1 MiB, where that needs no transaction. Errors as of flush().
  Result<void> relieve();
  /// Bytes of dead letters that are not written yet.
  [[nodiscard]] int64_t bytes() const { return bytes_; }
  /// The transaction given to flush() is durable.
  void committed(const progress::Store& store, const Flushed& flushed);
  /// Dead letters wait for a transaction of this sink.
  [[nodiscard]] bool waits_for(const std::string& sink) const;
  /// Why the run has to stop; nullopt: it may go on.
  [[nodiscard]] std::optional<Error> exceeded() const;

  [[nodiscard]] uint64_t count() const;
  /// By table ("" : none).
  [[nodiscard]] std::map<std::string, uint64_t> by_table() const;
  struct Place {
    std::string sink, table, reason;
    auto operator<=>(const Place&) const = default;
  };
  [[nodiscard]] std::map<Place, uint64_t> by_reason() const;
  /// Why their place takes none now; empty: it does, or was not asked.
  [[nodiscard]] std::string refusal() const;
  /// For people: where they are.
  [[nodiscard]] std::string path() const;

 private:
  struct Waiting {
    uint64_t number;
    std::string sink;  ///< whose transaction takes it
    StoredDeadLetter dead_letter;
  };
  Result<void> write_in(const Passing& passing, Flushed& flushed);
  void account(int64_t bytes);

  std::unique_ptr<Destination> destination_;  ///< null: the targets
  std::vector<std::string> sinks_;
  std::string home_, place_;
  mutable std::mutex mutex_;
  std::mutex writing_;                       ///< of the destination
  std::map<std::string, std::mutex> turns_;  ///< of the sinks whose transactions take dead letters along
  Budget budget_;
  std::vector<StoredDeadLetter> pending_;
  bool dirty_ = false;
  int64_t unwritten_ = 0;  ///< bytes that the destination keeps for its next call; guarded by writing_
  std::deque<Waiting> waiting_;
  uint64_t count_ = 0;
  std::map<std::string, uint64_t> by_table_;
  std::map<Place, uint64_t> by_reason_;
  std::string refusal_;
  RecentDeadLetters recent_;
  Announcements announcements_;
  std::function<void(const std::string&)> tell_;
  std::atomic<int64_t>* counter_ = nullptr;
  std::atomic<int64_t> bytes_{0};
};

}  // namespace cdcrt::dead_letters
