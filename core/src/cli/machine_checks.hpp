// What this machine gives a pipeline: open files, memory, room on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
/// About how many files a run of the manifest has open at a time, sockets included. `of_sources`: what its sources told of themselves, in
/// their order; 0, and what is missing: nothing.
uint64_t files_needed(const manifest::Manifest& manifest, const std::vector<uint64_t>& of_sources = {});

void check_files(const manifest::Manifest& manifest, const std::vector<uint64_t>& of_sources, uint64_t allowed, DoctorReport& report);
/// By the limit of this process.
void check_files(const manifest::Manifest& manifest, const std::vector<uint64_t>& of_sources, DoctorReport& report);
void check_memory(const manifest::Manifest& manifest, const KernelFolders& folders, DoctorReport& report);
/// Where the process writes files of its own: the working directory, and the folder of dead letters.
void check_disk(const manifest::Manifest& manifest, DoctorReport& report);

}  // namespace cdcrt::cli
