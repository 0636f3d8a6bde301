// The dead letters of a pipeline, as its commands list and replay them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dead_letters/dead_letter.hpp"
#include "repair/session.hpp"

namespace cdcrt::repair {

enum class DeadLetterState : uint8_t {
  kOpen,      ///< by key, and no later change replaced its row; or it has no key, and was not replayed
  kClosed,    ///< by key: a later change replaced its row, or it was replayed
  kReplayed,  ///< without a key, replayed
  kAhead      ///< its table has not passed it: the pipeline reads the message again by itself
};
std::string_view to_text(DeadLetterState state);

struct ListedDeadLetter {
  dead_letters::StoredDeadLetter dead_letter;
  DeadLetterState state = DeadLetterState::kOpen;
  bool by_key = false;       ///< recorded by key in the target
  Target* target = nullptr;  ///< nullptr: it belongs to no table
};

struct DeadLetterFilter {
  std::string table, id;
};

/// Every dead letter once, by table, partition and offset. UNSUPPORTED: the destination cannot be read, and the error says how to.
/// `warnings`: lines of a file that are no dead letters, with their place.
Result<std::vector<ListedDeadLetter>> read_dead_letters(Session& session, const manifest::Manifest& manifest,
                                                        const DeadLetterFilter& filter, std::vector<std::string>& warnings);

/// The files of all processes.
std::vector<std::string> dead_letter_files(const manifest::Manifest& manifest);

struct ReplayedDeadLetter {
  std::string id;
  bool applied = false;
  std::string reason;  ///< why not
};
/// Applies open dead letters, in order, up to a thousand of a table in one transaction. `dry_run`: everything is tried and taken back.
Result<std::vector<ReplayedDeadLetter>> replay_dead_letters(Session& session, const manifest::Manifest& manifest,
                                                            const std::vector<ListedDeadLetter>& dead_letters, bool dry_run);

}  // namespace cdcrt::repair
