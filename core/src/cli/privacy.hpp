// Privacy: what others on this machine can see of the process.
#pragma once

namespace cdcrt::cli {

/// Whether a crash may leave a core file, and others of the same user may look into the memory and the environment. Off before anything
/// secret is read.
void allow_core_dumps(bool allowed);

/// Covers the values of --set in the command line that `ps` and core files show. After the arguments were copied; before threads.
void cover_arguments(int count, char** values);

}  // namespace cdcrt::cli
