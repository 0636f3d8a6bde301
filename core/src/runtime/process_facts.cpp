#include "runtime/process_facts.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "observe/clock.hpp"

namespace cdcrt::runtime {
namespace {

uint64_t entries_of(const char* folder) {
  std::error_code error;
  uint64_t count = 0;
  for (auto entry = std::filesystem::directory_iterator(folder, error); !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    ++count;
  }
  return count;
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

}  // namespace

observe::ProcessFacts process_facts() {
  static const int64_t started = observe::now_us();
  observe::ProcessFacts facts;
  facts.version = CDCRT_VERSION;
  facts.started_us = started;
  facts.pid = ::getpid();
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  facts.host = host.data();
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) facts.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) facts.max_open_files = files.rlim_cur;
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0, resident = 0;
  if (statm >> pages >> resident) facts.resident_bytes = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t open = entries_of("/proc/self/fd");
  facts.open_files = open > 0 ? open - 1 : 0;  // the look itself is one of them
  facts.threads = entries_of("/proc/self/task");
  return facts;
}

}  // namespace cdcrt::runtime
