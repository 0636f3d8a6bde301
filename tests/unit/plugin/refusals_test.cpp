#include <doctest/doctest.h>
#include <elf.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "plugin/registry.hpp"

namespace fs = std::filesystem;
using cdcrt::plugin::SearchPlace;

namespace {

const std::string kFixtures = CDCRT_FIXTURES;

class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/cdcrt-plugin-XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// Why a file is refused as a format; fails the test when it is not.
cdcrt::Error refusal(const std::string& name_or_path, const std::vector<SearchPlace>& places = {{kFixtures, "the test"}}) {
  auto found = cdcrt::plugin::find(CDCRT_FORMAT, name_or_path, places);
  REQUIRE_MESSAGE(!found.ok(), name_or_path << " was accepted");
  CHECK(found.error().code == CDCRT_UNREACHABLE);
  return found.error();
}

bool says(const cdcrt::Error& error, const std::string& text) {
  const bool found = error.message.find(text) != std::string::npos || error.hint.find(text) != std::string::npos;
  if (!found) MESSAGE(error.message << " / " << error.hint);
  return found;
}

}  // namespace

TEST_CASE("find: a plugin is found by name, by path and by path beside the manifest, and is the same each time") {
  const std::vector<SearchPlace> places = {{kFixtures, "the manifest's folder"}};
  auto by_name = cdcrt::plugin::find(CDCRT_FORMAT, "good", places);
  REQUIRE_MESSAGE(by_name.ok(), by_name.error().message);
  CHECK(std::string((*by_name)->name) == "good");
  CHECK(*cdcrt::plugin::find(CDCRT_FORMAT, kFixtures + "/format-good.so", {}) == *by_name);
  CHECK(*cdcrt::plugin::find(CDCRT_FORMAT, "format-good.so", places) == *by_name);
  CHECK(*cdcrt::plugin::find(CDCRT_FORMAT, "./format-good.so", places) == *by_name);
  CHECK(fs::equivalent(cdcrt::plugin::path_of(*by_name), kFixtures + "/format-good.so"));
}

TEST_CASE("find: a link to a plugin is that plugin") {
  const Folder folder;
  fs::create_symlink(kFixtures + "/format-good.so", folder.file("format-good.so"));
  CHECK(cdcrt::plugin::find(CDCRT_FORMAT, "good", {{folder.path(), "x"}}).ok());
}

TEST_CASE("find: many threads at once find the same plugin") {
  std::vector<std::thread> threads;
  std::vector<const cdcrt_plugin*> found(8);
  for (size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] { found[i] = *cdcrt::plugin::find(CDCRT_FORMAT, "good", {{kFixtures, "x"}}); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto* plugin : found) CHECK(plugin == found[0]);
}

TEST_CASE("refusal: nothing there lists every place with its origin and the nearest name") {
  const Folder folder;
  const auto error = refusal("goood", {{kFixtures, "plugin_dirs"}, {folder.file("none"), "CDCRT_PLUGIN_PATH"}});
  CHECK(says(error, "no format plugin 'goood' (format-goood.so)"));
  CHECK(says(error, kFixtures + " (plugin_dirs)"));
  CHECK(says(error, folder.file("none") + " (CDCRT_PLUGIN_PATH, does not exist)"));
  CHECK(says(error, "did you mean 'good'?"));
  auto other = cdcrt::plugin::find(CDCRT_SINK, "good", {{kFixtures, "x"}});
  REQUIRE(!other.ok());
  CHECK(says(other.error(), "'good' is a format, not a sink"));
  CHECK(says(refusal("zzzzzzzz"), "CDCRT_PLUGIN_PATH"));
}

TEST_CASE("refusal: what is no shared object") {
  const Folder folder;
  CHECK(says(refusal(folder.file("none.so")), "does not exist"));
  CHECK(says(refusal(folder.path() + "/"), "is a directory"));
  CHECK(says(refusal(folder.write("empty.so", "")), "is an empty file"));
  CHECK(says(refusal(folder.write("text.so", "#!/bin/sh\necho hello\n")), "is a text file"));
  CHECK(says(refusal(folder.write("noise.so", std::string("\x00\x01\x02\xFF", 4))), "is not an ELF file"));
  CHECK(says(refusal(folder.write("windows.so", std::string("MZ\x90\x00", 4))), "Windows"));
  CHECK(says(refusal(folder.write("archive.so", "!<arch>\nfoo")), "static library"));
  CHECK(says(refusal("/dev/null"), "is not a regular file"));
  REQUIRE(::mkfifo(folder.file("pipe.so").c_str(), 0600) == 0);
  CHECK(says(refusal(folder.file("pipe.so")), "is not a regular file"));
  CHECK(says(refusal("/proc/self/exe"), "does not export cdcrt_plugin_entry"));
  fs::create_symlink(folder.file("nowhere"), folder.file("format-dangling.so"));
  CHECK(says(refusal("dangling", {{folder.path(), "x"}}), "does not exist"));
}

TEST_CASE("refusal: a shared object that is cut off anywhere, without a crash") {
  const std::string whole = bytes_of(kFixtures + "/format-good.so");
  REQUIRE(whole.size() > 4096);
  const Folder folder;
  for (size_t size = 4; size < whole.size(); size += size < 200 ? 1 : whole.size() / 97) {
    const auto error = refusal(folder.write("cut" + std::to_string(size) + ".so", whole.substr(0, size)));
    CHECK(says(error, "is cut off"));
    CHECK(says(error, "cut" + std::to_string(size) + ".so"));
  }
}

TEST_CASE("refusal: a shared object of another architecture, which is named") {
  const std::string whole = bytes_of(kFixtures + "/format-good.so");
  const Folder folder;
  const auto patched = [&](const std::string& name, size_t at, const std::string& bytes) {
    return folder.write(name, std::string(whole).replace(at, bytes.size(), bytes));
  };
  const auto machine = [](uint16_t value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); };
  const size_t at_machine = offsetof(Elf64_Ehdr, e_machine);
#ifdef __x86_64__
  CHECK(says(refusal(patched("arm.so", at_machine, machine(EM_AARCH64))),
             "is built for 64-bit ARM (aarch64), 64-bit; this process is x86-64, 64-bit"));
#else
  CHECK(says(refusal(patched("intel.so", at_machine, machine(EM_X86_64))), "is built for x86-64"));
#endif
  CHECK(says(refusal(patched("strange.so", at_machine, machine(4242))), "machine type 4242"));
  CHECK(says(refusal(patched("small.so", EI_CLASS, std::string(1, ELFCLASS32))), "32-bit"));
  const uint16_t program = ET_EXEC;
  CHECK(says(refusal(patched("program.so", offsetof(Elf64_Ehdr, e_type), machine(program))), "is a program"));
}

TEST_CASE("refusal: headers and tables of noise never crash the reader") {
  const std::string whole = bytes_of(kFixtures + "/format-noentry.so");  // never accepted, so never loaded
  Elf64_Ehdr header;
  std::memcpy(&header, whole.data(), sizeof header);
  const Folder folder;
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 20; ++i) {
      // The loader's own tables are left alone: a file that passes the look is given to it.
      const size_t table = header.e_shoff + random() % (bytes.size() - header.e_shoff);
      bytes[round % 2 == 0 ? table : sizeof(Elf64_Ehdr) - 24 + random() % 24] = static_cast<char>(random());
    }
    auto found = cdcrt::plugin::find(CDCRT_FORMAT, folder.write("noise.so", bytes), {});
    CHECK(!found.ok());
    fs::remove(folder.file("noise.so"));
  }
}

TEST_CASE("refusal: shared objects that are no plugins, or broken ones") {
  CHECK(says(refusal("noentry"), "is a shared object but not a cdcrt plugin: it does not export cdcrt_plugin_entry"));
  CHECK(says(refusal("future"), "speaks plugin ABI 0.99, this cdcrt speaks 0.7 to " + std::to_string(CDCRT_ABI_MAJOR) + "." +
                                    std::to_string(CDCRT_ABI_MINOR)));
  CHECK(says(refusal("badname"), "'Bad_Name'"));
  CHECK(says(refusal("reserved"), "'batch', which belongs to the host"));
  CHECK(says(refusal("hollow"), "lacks decode"));
  auto required = cdcrt::plugin::find(CDCRT_SINK, kFixtures + "/sink-required.so", {});
  REQUIRE(!required.ok());
  CHECK(says(required.error(), "layout option 'depth' is required, which none may be"));
  CHECK(says(refusal("misnamed"), "but holds format 'other'"));
  auto sink = cdcrt::plugin::find(CDCRT_SINK, kFixtures + "/format-good.so", {});
  REQUIRE(!sink.ok());
  CHECK(says(sink.error(), "is not a sink: it holds format 'good'"));
}

TEST_CASE("refusal: a missing dependency is named, with how to look") {
  const auto error = refusal("needy");
  CHECK(says(error, "needs the library libcdcrt_absent.so"));
  CHECK(says(error, "`ldd "));
  CHECK(says(error, "format-needy.so"));
}

TEST_CASE("refusal: a second file of the same kind and name, with both named, each time it is asked for") {
  REQUIRE(cdcrt::plugin::find(CDCRT_FORMAT, "good", {{kFixtures, "x"}}).ok());
  for (int round = 0; round < 2; ++round) {
    const auto error = refusal(kFixtures + "/format-twin.so");
    CHECK(says(error, "format-twin.so is a second format 'good'"));
    CHECK(says(error, "format-good.so is in use"));
  }
}

TEST_CASE("list: accepted plugins and refusals side by side") {
  const auto listed = cdcrt::plugin::list({{kFixtures, "x"}, {kFixtures + "/.", "again"}, {"/nowhere", "y"}});
  size_t accepted = 0, refused = 0;
  for (const auto& entry : listed) {
    CHECK((entry.plugin == nullptr) == !entry.refusal.empty());
    entry.plugin != nullptr ? ++accepted : ++refused;
  }
  CHECK(accepted == 1);
  CHECK(refused == 9);
}

TEST_CASE("search places: manifest, plugin_dirs, environment, install folder, in this order") {
  ::setenv("CDCRT_PLUGIN_PATH", "/one::/two:", 1);
  const auto places = cdcrt::plugin::search_places("/etc/shop", {"plugins", "/abs"});
  ::unsetenv("CDCRT_PLUGIN_PATH");
  REQUIRE(places.size() == 6);
  CHECK(places[0].folder == "/etc/shop");
  CHECK(places[1].folder == "/etc/shop/plugins");
  CHECK(places[2].folder == "/abs");
  CHECK(places[3].folder == "/one");
  CHECK(places[4].folder == "/two");
  CHECK(places[4].label == "CDCRT_PLUGIN_PATH");
  CHECK(places[5].folder.find("lib/cdcrt/plugins") != std::string::npos);
  CHECK(cdcrt::plugin::search_places("", {}).size() == 1);
}
