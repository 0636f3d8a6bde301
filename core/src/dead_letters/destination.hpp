// Destination: where dead letters are kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dead_letters/dead_letter.hpp"
#include "plugin/component.hpp"

namespace cdcrt::dead_letters {

/// Calls come one at a time, from any thread.
class Destination {
 public:
  virtual ~Destination() = default;
  /// At the start: whether dead letters can be kept there, before there are any. Leaves nothing behind.
  virtual Result<void> check() { return {}; }
  /// Durable once it answers. RETRY: not now; it keeps them for the next call, which may bring none.
  virtual Result<void> write(std::vector<StoredDeadLetter> dead_letters) = 0;
  /// For people: where to look.
  [[nodiscard]] virtual std::string place() const = 0;
};

/// JSON Lines. Nothing is there before the first dead letter. A line that a crash left half written is ended, so that the next one is
/// whole.
std::unique_ptr<Destination> to_file(std::string path);

/// A sink that takes rows as they come (plugin "kafka"): each dead letter is a row of dead_letter_columns(), appended to `table`.
/// Connects at once.
Result<std::unique_ptr<Destination>> to_sink(const plugin::Component& component, const std::string& table);

}  // namespace cdcrt::dead_letters
