// What `cdcrt doctor` says of a machine, and how it says it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "cli/doctor_report.hpp"
#include "cli/exit_code.hpp"
#include "cli/machine_checks.hpp"

using namespace cdcrt;
using namespace cdcrt::cli;

namespace {

/// Files of a kernel, below a folder of the test's own.
class Kernel {
 public:
  Kernel() {
    std::string name = (std::filesystem::temp_directory_path() / "cdcrt-kernel-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
    folders = {name + "/proc", name + "/cgroup"};
  }
  ~Kernel() { std::filesystem::remove_all(root_); }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  KernelFolders folders;

 private:
  std::filesystem::path root_;
};

struct Told {
  std::ostringstream out;
  DoctorReport report{out, false, false};
};

constexpr uint64_t kMebibyte = 1 << 20;

manifest::Manifest manifest_of(uint64_t memory) {
  manifest::Manifest manifest;
  manifest.runtime.memory = memory;
  manifest.sources.resize(1);
  manifest.sinks.resize(1);
  return manifest;
}

}  // namespace

TEST_CASE("doctor: of nested control groups the tightest counts") {
  const Kernel kernel;
  kernel.write("proc/self/cgroup", "0::/system.slice/cdcrt.service\n");
  kernel.write("cgroup/system.slice/cdcrt.service/memory.max", "max\n");
  CHECK(memory_of_control_groups(kernel.folders) == 0);
  kernel.write("cgroup/system.slice/memory.max", "268435456\n");
  CHECK(memory_of_control_groups(kernel.folders) == 256 * kMebibyte);
  kernel.write("cgroup/system.slice/cdcrt.service/memory.max", "134217728\n");
  CHECK(memory_of_control_groups(kernel.folders) == 128 * kMebibyte);
}

TEST_CASE("doctor: the limit of a container stands at the root that it sees, in both versions of control groups") {
  const Kernel second;
  second.write("proc/self/cgroup", "0::/\n");
  second.write("cgroup/memory.max", "536870912\n");
  CHECK(memory_of_control_groups(second.folders) == 512 * kMebibyte);

  const Kernel first;
  first.write("proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n");
  first.write("cgroup/memory/memory.limit_in_bytes", "536870912\n");
  CHECK(memory_of_control_groups(first.folders) == 512 * kMebibyte);
  first.write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(memory_of_control_groups(first.folders) == 0);
}

TEST_CASE("doctor: memory that the control group does not allow fails, with a budget that it does") {
  const Kernel kernel;
  kernel.write("proc/self/cgroup", "0::/\n");
  kernel.write("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n");
  kernel.write("cgroup/memory.max", "134217728\n");
  Told told;
  check_memory(manifest_of(128 * kMebibyte), kernel.folders, told.report);
  CHECK(told.report.finish() == kEnvironment);
  CHECK(told.out.str().find("memory = \"96MiB\"") != std::string::npos);

  Told fits;
  check_memory(manifest_of(96 * kMebibyte), kernel.folders, fits.report);
  CHECK(fits.report.finish() == kDone);
}

TEST_CASE("doctor: memory that the machine has not left is a warning, and hinders no start") {
  const Kernel kernel;
  kernel.write("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 100000 kB\n");
  Told told;
  check_memory(manifest_of(128 * kMebibyte), kernel.folders, told.report);
  CHECK(told.report.finish() == kDone);
  CHECK(told.out.str().find("warning  memory") == 0);
}

TEST_CASE("doctor: files fail below what the connections need") {
  manifest::Manifest manifest = manifest_of(kMebibyte);
  const uint64_t few = files_needed(manifest);
  manifest.sinks[0].connections = 40;
  const uint64_t many = files_needed(manifest);
  CHECK(many > few);
  Told enough, too_few;
  check_files(manifest, {}, many, enough.report);
  CHECK(enough.report.finish() == kDone);
  check_files(manifest, {}, many - 1, too_few.report);
  CHECK(too_few.report.finish() == kEnvironment);
  CHECK(too_few.out.str().find("LimitNOFILE=") != std::string::npos);
}

TEST_CASE("doctor: what a source tells of its clients counts, and one that tells nothing or little counts as before") {
  manifest::Manifest manifest = manifest_of(kMebibyte);
  manifest.sources.resize(2);
  const uint64_t untold = files_needed(manifest);
  CHECK(files_needed(manifest, {0, 1}) == untold);
  const uint64_t told = files_needed(manifest, {1000, 0});
  CHECK(told > 1000);
  CHECK(files_needed(manifest, {1000, 1000}) > told + 900);
  Told too_few;
  check_files(manifest, {1000, 0}, untold, too_few.report);
  CHECK(too_few.report.finish() == kEnvironment);
}

TEST_CASE("doctor: what is wrong in the manifest ends before what is wrong around it, whichever came first") {
  Told told;
  told.report.fail("sink a", "gone", "start it", kEnvironment);
  told.report.fail("source b", "no such topic", "", kManifestOrUsage);
  told.report.fail("sink c", "gone", "start it", kEnvironment);
  CHECK(told.report.finish() == kManifestOrUsage);
}

TEST_CASE("doctor: each check is a line whatever a driver answers, and the same as JSON") {
  Told told;
  told.report.warn("sink a", "first\n  second\n", "do\nit");
  told.report.ok("sink a", "fine");
  CHECK(told.report.finish() == kDone);
  CHECK(told.out.str() ==
        "warning  sink a            first; second\n"
        "         fix:              do; it\n"
        "ok       sink a            fine\n"
        "\n1 ok, 1 warning, 0 failed\n");

  std::ostringstream out;
  DoctorReport json(out, true, false);
  json.fail("sink a", "a \"b\"", "c", kEnvironment);
  json.ok("sink b", "fine");
  CHECK(out.str().empty());
  CHECK(json.finish() == kEnvironment);
  CHECK(out.str() ==
        "{\"checks\":[{\"status\":\"failed\",\"subject\":\"sink a\",\"message\":\"a \\\"b\\\"\",\"fix\":\"c\"},"
        "{\"status\":\"ok\",\"subject\":\"sink b\",\"message\":\"fine\"}],\"ok\":1,\"warnings\":0,\"failed\":1}\n");
}
