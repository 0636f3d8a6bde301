// What is done before a batch is written so that the target's tables fit it, and that what is known of them is stored.
#pragma once

#include <vector>

#include "apply/sealed.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// Makes the target's tables fit the sealed batches: creates, adds, widens, drops, in one short transaction
/// of its own, and stores what is known of their columns with it. Takes over first what another process stored meanwhile, also into
/// the batches. Skips tables where nothing changed. `lost`: partitions that are not ours any more; nothing was done then.
Result<void> prepare_tables(plugin::Connection& connection, progress::Store* store, bool transactional, const std::vector<Sealed*>& batches,
                            std::vector<const progress::Partition*>& lost);

}  // namespace cdcrt::apply
