#include "cli/machine_checks.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "cli/exit_code.hpp"

namespace cdcrt::cli {
namespace {

constexpr uint64_t kMebibyte = 1ULL << 20;
/// Beyond the budget: code, libraries, stacks, what drivers and the allocator keep (docs/architecture.md).
constexpr uint64_t kBesidesBudget = 32 * kMebibyte;
/// Of a process that does nothing yet: libraries, standard streams, what glibc opens for a moment.
constexpr uint64_t kFilesOfProcess = 50;
/// Of a source that does not tell, or less: a socket for each broker, and what wakes its threads.
constexpr uint64_t kFilesOfSource = 60;
/// Of a connection: its socket, or a database file with its journal and locks.
constexpr uint64_t kFilesOfConnection = 4;
constexpr uint64_t kLittleDisk = 256 * kMebibyte;
/// Control groups of version 1 say so where there is no limit.
constexpr uint64_t kNoLimit = 1ULL << 60;

std::optional<uint64_t> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  uint64_t number = 0;
  if (!(file >> number) || number >= kNoLimit) return std::nullopt;  // "max" is no number
  return number;
}

/// The least of the numbers in files called `name`, from `folder`/`group` up to `folder`.
uint64_t least_limit(const std::string& folder, const std::string& group, const char* name) {
  uint64_t least = 0;
  std::filesystem::path path = std::filesystem::path(group).lexically_normal();
  while (true) {
    const auto relative = path.relative_path();
    if (const auto limit = number_in(std::filesystem::path(folder) / relative / name))
      least = least == 0 ? *limit : std::min(least, *limit);
    if (relative.empty()) return least;
    path = path.parent_path();
  }
}

std::string mebibytes(uint64_t bytes) { return std::to_string(bytes / kMebibyte) + " MiB"; }

std::string gibibytes(uint64_t bytes) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f GiB", static_cast<double>(bytes) / static_cast<double>(1024 * kMebibyte));
  return text.data();
}

/// The nearest folder that is there.
std::filesystem::path existing(std::filesystem::path folder) {
  std::error_code trouble;
  if (folder.empty()) folder = ".";
  folder = std::filesystem::absolute(folder, trouble).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  while (!std::filesystem::is_directory(folder, trouble) && folder.has_relative_path()) folder = folder.parent_path();
  return folder.empty() ? "/" : folder;
}

void check_folder(const std::filesystem::path& folder, const std::string& what, DoctorReport& report) {
  struct statvfs found {};
  if (::statvfs(folder.c_str(), &found) != 0) {
    report.warn("disk", "it cannot be told how much room " + folder.string() + " (" + what + ") has", "look at it with df");
    return;
  }
  if (found.f_blocks == 0) return;  // of the kernel: it has no room and needs none
  const uint64_t room = static_cast<uint64_t>(found.f_bavail) * found.f_frsize;
  const std::string text = folder.string() + " (" + what + ") has room for " + gibibytes(room);
  if ((found.f_flag & ST_RDONLY) != 0) {
    report.warn("disk", folder.string() + " (" + what + ") can only be read", "start in a folder that can be written to, or mount it so");
  } else if (room == 0) {
    report.fail("disk", text, "make room there", kEnvironment);
  } else if (room < kLittleDisk) {
    report.warn("disk", text, "make room there: dead letters that cannot be written stop the pipeline");
  } else {
    report.ok("disk", text);
  }
}

}  // namespace

uint64_t memory_of_control_groups(const KernelFolders& folders) {
  std::ifstream groups(folders.proc + "/self/cgroup");
  uint64_t least = 0;
  for (std::string line; std::getline(groups, line);) {
    // number:controllers:/path; version 2 has the number 0 and no controllers.
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",", group = line.substr(second + 1);
    uint64_t limit = 0;
    if (controllers == ",,") limit = least_limit(folders.cgroups, group, "memory.max");
    if (controllers.find(",memory,") != std::string::npos) limit = least_limit(folders.cgroups + "/memory", group, "memory.limit_in_bytes");
    if (limit != 0) least = least == 0 ? limit : std::min(least, limit);
  }
  return least;
}

uint64_t available_memory(const KernelFolders& folders) {
  std::ifstream file(folders.proc + "/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    uint64_t kibibytes = 0;
    if (words >> name >> kibibytes && name == "MemAvailable:") return kibibytes * 1024;
  }
  return 0;
}

uint64_t files_needed(const manifest::Manifest& manifest, const std::vector<uint64_t>& of_sources) {
  uint64_t needed = kFilesOfProcess;
  for (std::size_t i = 0; i < manifest.sources.size(); ++i) needed += std::max(kFilesOfSource, i < of_sources.size() ? of_sources[i] : 0);
  // One more for the repair of each sink.
  for (const auto& sink : manifest.sinks) needed += (uint64_t{sink.connections} + 1) * kFilesOfConnection;
  return needed;
}

void check_files(const manifest::Manifest& manifest, const std::vector<uint64_t>& of_sources, uint64_t allowed, DoctorReport& report) {
  const uint64_t needed = files_needed(manifest, of_sources);
  const std::string text =
      std::to_string(allowed) + " files and sockets may be open, this pipeline opens up to about " + std::to_string(needed);
  if (allowed >= needed) return report.ok("open files", text);
  report.fail("open files", text,
              "raise the limit: LimitNOFILE=" + std::to_string(needed * 2) +
                  " in the unit of the service, ulimit -n in a shell; or fewer `connections`",
              kEnvironment);
}

void check_files(const manifest::Manifest& manifest, const std::vector<uint64_t>& of_sources, DoctorReport& report) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) check_files(manifest, of_sources, files.rlim_cur, report);
}

void check_memory(const manifest::Manifest& manifest, const KernelFolders& folders, DoctorReport& report) {
  const uint64_t needed = manifest.runtime.memory + kBesidesBudget;
  const std::string text = "memory = " + mebibytes(manifest.runtime.memory) + ", and 32 MiB besides";
  const uint64_t limit = memory_of_control_groups(folders), available = available_memory(folders);
  if (limit != 0 && limit < needed) {
    const uint64_t fitting = limit > 2 * kBesidesBudget ? limit - kBesidesBudget : 0;
    return report.fail(
        "memory", text + ": the control group (container, service) allows " + mebibytes(limit) + ", and the kernel ends what takes more",
        "raise its limit to " + mebibytes(needed) +
            (fitting == 0 ? "" : ", or set memory = \"" + std::to_string(fitting / kMebibyte) + "MiB\" in [runtime]"),
        kEnvironment);
  }
  if (available != 0 && available < needed) {
    return report.warn("memory", text + ": the machine has " + mebibytes(available) + " left",
                       "end what else takes memory, or set a smaller `memory` in [runtime]");
  }
  report.ok("memory", text + (limit != 0       ? ": the control group allows " + mebibytes(limit)
                              : available != 0 ? ": the machine has " + mebibytes(available) + " left"
                                               : ""));
}

void check_disk(const manifest::Manifest& manifest, DoctorReport& report) {
  const auto working = existing(".");
  check_folder(working, "working directory", report);
  if (manifest.dead_letters.kind != dead_letters::Settings::Kind::kFile) return;
  const auto folder = existing(std::filesystem::path(manifest.dead_letters.path).parent_path());
  if (folder != working) check_folder(folder, "dead letters", report);
}

}  // namespace cdcrt::cli
