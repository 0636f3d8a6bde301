// What this machine gives a pipeline: open files, memory, room on disk.
#pragma once

#include <cstdint>
#include <string>

#include "cli/doctor_report.hpp"
#include "manifest/manifest.hpp"

namespace cdcrt::cli {

/// Where the kernel tells; another folder in tests.
struct KernelFolders {
  std::string proc = "/proc", cgroups = "/sys/fs/cgroup";
};

/// Bytes that the control groups of this process may use, the tightest of them; 0: no limit.
uint64_t memory_of_control_groups(const KernelFolders& folders);
/// Bytes that the machine can still give; 0: not known.
uint64_t available_memory(const KernelFolders& folders);
/// About how many files a run of the manifest has open at a time, sockets included.
uint64_t files_needed(const manifest::Manifest& manifest);

void check_files(const manifest::Manifest& manifest, uint64_t allowed, DoctorReport& report);
void check_memory(const manifest::Manifest& manifest, const KernelFolders& folders, DoctorReport& report);
/// Where the process writes files of its own: the working directory, and the folder of dead letters.
void check_disk(const manifest::Manifest& manifest, DoctorReport& report);
/// All three, of this process.
void check_machine(const manifest::Manifest& manifest, DoctorReport& report);

}  // namespace cdcrt::cli
