// Short turns: how soon a thread that has something to do gets the processor on a busy machine.
#pragma once

namespace cdcrt::runtime {

/// Asks the kernel for turns of 0.1 ms in place of some ms, for this thread and those that it starts from now on: who asks for little at a
/// time is asked to wait less. Nothing else of its scheduling changes. False: the kernel knows no such wish (Linux before 6.12), does not
/// allow it, or the thread has a scheduling policy of its own.
bool ask_for_short_turns();

}  // namespace cdcrt::runtime
