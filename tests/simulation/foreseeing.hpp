// Foreseeing: a connection in front of the target's that does what the sink `postgresql` does to save waits. Locked reads of the host's own
// rows are answered with what a committed transaction was told, and proven later; writes that the host does not wait for are done later.
#pragma once

#include <memory>

#include "cdcrt/sdk/sink.hpp"
#include "postgresql/foreseen.hpp"
#include "postgresql/trials.hpp"

namespace cdcrt::simulation {

/// Of one sink of one process.
struct ForeseeingShared {
  postgresql::Foreseen rows;
  postgresql::Trials answers;
};

/// `shared` must outlive it.
std::unique_ptr<sdk::SinkConnection> make_foreseeing(std::unique_ptr<sdk::SinkConnection> target, ForeseeingShared& shared);

}  // namespace cdcrt::simulation
