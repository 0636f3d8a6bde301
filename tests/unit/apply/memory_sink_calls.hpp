// Who counts what the host does leaves out what MemorySink does in its place.
#pragma once

namespace cdcrt::memory_sink {

/// Where it is set: called as a function of the sink's boundary begins (true), and as it ends.
extern void (*on_call)(bool begins);

}  // namespace cdcrt::memory_sink
