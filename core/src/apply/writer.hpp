// Writer: one connection that takes ready tables, oldest first, several into one transaction (design §2), and sees each of them
// through: retries, isolation of bad rows, progress, commit.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "apply/isolate.hpp"
#include "apply/table.hpp"
#include "dead_letters/dead_letters.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// What a writer needs of its surroundings; all of it outlives the writer.
struct WriterContext {
  plugin::Sink& sink;
  progress::Store* store;  ///< null: the target keeps no progress
  EventReader& reader;
  dead_letters::DeadLetters& letters;
  std::function<void(std::string_view message)> warn;
  /// True once the process should give up waiting for an outage to end.
  std::function<bool()> gives_up;
};

/// One thread.
class Writer {
 public:
  explicit Writer(const WriterContext& context) : context_(context) {}

  /// Writes the batches, together if it can, else one by one; each is then completed or its table stopped. Error: the pipeline
  /// cannot go on (fenced, or given up); batches that were not written stay sealed.
  Result<void> write(std::vector<Sealed>& batches);
  /// Stores low watermarks in a transaction of their own.
  Result<void> save_watermarks(const std::vector<std::pair<const progress::Partition*, int64_t>>& watermarks);

 private:
  Result<void> connect();
  Result<void> attempt(std::vector<Sealed*>& batches, std::vector<const Entry*>& missing);
  Result<void> write_alone(Sealed& sealed);
  Result<void> write_isolated(Sealed& sealed, const std::vector<const Entry*>& missing);
  Result<void> commit_isolated(Sealed& sealed, const Isolated& isolated);
  Result<void> write_settled(Sealed& sealed, const std::vector<const Entry*>* only, std::vector<const Entry*>& missing);
  Result<void> finish(const std::vector<Sealed*>& batches);
  Result<void> commit(const std::vector<Sealed*>& batches);
  Result<bool> already_committed(const Sealed& sealed);
  Result<void> wait(const Error& error);
  template <class Body>
  Result<void> with_retries(Body&& body);

  WriterContext context_;
  std::optional<plugin::Connection> connection_;
  unsigned failures_ = 0;
};

}  // namespace cdcrt::apply
