#include "kafka/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace cdcrt::kafka {

MemoryFile::MemoryFile(const std::string& text) : descriptor_(::memfd_create("cdcrt", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (descriptor_ < 0) return;
  for (std::size_t done = 0; done < text.size();) {
    const auto written = ::write(descriptor_, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
  ::fcntl(descriptor_, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

MemoryFile::~MemoryFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace cdcrt::kafka
