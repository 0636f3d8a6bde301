#include "plugin/elf_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace cdcrt::plugin {
namespace {

constexpr uint64_t kMaxTableBytes = 256ULL << 20;  // a symbol table beyond this is not believed

class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// False unless all of it is there.
  bool read(uint64_t offset, void* to, size_t bytes) const {
    auto* out = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = ::pread(descriptor_, out, bytes, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      out += got;
      offset += static_cast<uint64_t>(got);
      bytes -= static_cast<size_t>(got);
    }
    return true;
  }

 private:
  int descriptor_;
};

Error refuse(std::string reason, std::string hint = {}) { return make_error(CDCRT_UNREACHABLE, std::move(reason), std::move(hint)); }

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_386: return "32-bit x86";
    case EM_AARCH64: return "64-bit ARM (aarch64)";
    case EM_ARM: return "32-bit ARM";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "64-bit PowerPC";
    case EM_S390: return "s390x";
    default: return "machine type " + std::to_string(machine);
  }
}

std::string class_name(unsigned char elf_class) {
  return elf_class == ELFCLASS64 ? "64-bit" : elf_class == ELFCLASS32 ? "32-bit" : "unknown word size";
}

bool within(uint64_t offset, uint64_t bytes, uint64_t size) { return offset <= size && bytes <= size - offset; }

/// The running program's own header: the measure for "this machine".
std::optional<Elf64_Ehdr> own_header() {
  const File file("/proc/self/exe");
  Elf64_Ehdr header;
  if (!file.is_open() || !file.read(0, &header, sizeof header)) return std::nullopt;
  return header;
}

std::string describe_start(const char* bytes, size_t count) {
  const std::string_view start(bytes, count);
  if (start.substr(0, 2) == "MZ") return "is a Windows program or DLL";
  if (start.substr(0, 4) == "\xCF\xFA\xED\xFE" || start.substr(0, 4) == "\xCA\xFE\xBA\xBE") return "is a macOS library or a Java class";
  if (start.substr(0, 8) == "!<arch>\n") return "is a static library (.a)";
  const bool text =
      std::all_of(start.begin(), start.end(), [](unsigned char c) { return c == '\n' || c == '\r' || c == '\t' || (c >= 32 && c != 127); });
  return text ? "is a text file" : "is not an ELF file";
}

template <class Header>
bool read_table(const File& file, uint64_t size, uint64_t offset, uint64_t count, uint64_t entry_bytes, std::vector<Header>& out) {
  if (count == 0) return true;
  if (entry_bytes != sizeof(Header) || !within(offset, count * entry_bytes, size)) return false;
  out.resize(count);
  return file.read(offset, out.data(), count * sizeof(Header));
}

/// nullopt: there is no dynamic symbol table to look into, or it makes no sense.
std::optional<bool> exports(const File& file, uint64_t size, const std::vector<Elf64_Shdr>& sections, const std::string& symbol) {
  for (const auto& section : sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= sections.size() || section.sh_entsize != sizeof(Elf64_Sym)) return std::nullopt;
    const auto& names = sections[section.sh_link];
    if (section.sh_size > kMaxTableBytes || names.sh_size > kMaxTableBytes || !within(section.sh_offset, section.sh_size, size) ||
        !within(names.sh_offset, names.sh_size, size)) {
      return std::nullopt;
    }
    std::vector<Elf64_Sym> symbols(section.sh_size / sizeof(Elf64_Sym));
    std::vector<char> text(names.sh_size);
    if (!file.read(section.sh_offset, symbols.data(), symbols.size() * sizeof(Elf64_Sym)) ||
        !file.read(names.sh_offset, text.data(), text.size())) {
      return std::nullopt;
    }
    return std::any_of(symbols.begin(), symbols.end(), [&](const Elf64_Sym& candidate) {
      // The terminating NUL belongs to the comparison, so that a longer name is not taken for this one.
      return candidate.st_shndx != SHN_UNDEF && within(candidate.st_name, symbol.size() + 1, text.size()) &&
             std::memcmp(text.data() + candidate.st_name, symbol.c_str(), symbol.size() + 1) == 0;
    });
  }
  return std::nullopt;
}

}  // namespace

Result<void> check_shared_object(const std::string& path, const std::string& symbol) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const int reason = errno;
    Error error = refuse(reason == ENOENT ? "does not exist" : std::string("cannot be looked at: ") + std::strerror(reason));
    error.native = reason;
    return error;
  }
  if (S_ISDIR(status.st_mode))
    return refuse("is a directory, not a shared object", "name the .so file itself; for a whole folder use [runtime] plugin_dirs");
  if (!S_ISREG(status.st_mode)) return refuse("is not a regular file");
  const File file(path);
  if (!file.is_open()) return refuse(std::string("cannot be read: ") + std::strerror(errno), "make it readable for the user cdcrt runs as");
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size == 0) return refuse("is an empty file");

  std::array<char, sizeof(Elf64_Ehdr)> start{};
  const size_t start_bytes = std::min<uint64_t>(size, start.size());
  if (!file.read(0, start.data(), start_bytes)) return refuse("cannot be read to its end");
  if (start_bytes < SELFMAG || std::memcmp(start.data(), ELFMAG, SELFMAG) != 0) {
    return refuse(describe_start(start.data(), start_bytes) + ", not a shared object", "a plugin is a .so file that exports " + symbol);
  }
  const std::string cut_off = "is cut off: the file has " + std::to_string(size) + " bytes and its headers speak of more";
  const std::string copy_again = "copy or build it again";
  if (start_bytes < start.size()) return refuse(cut_off, copy_again);

  Elf64_Ehdr header;
  std::memcpy(&header, start.data(), sizeof header);
  const auto own = own_header();
  if (own && (header.e_ident[EI_CLASS] != own->e_ident[EI_CLASS] || header.e_ident[EI_DATA] != own->e_ident[EI_DATA] ||
              header.e_machine != own->e_machine)) {
    return refuse("is built for " + machine_name(header.e_machine) + ", " + class_name(header.e_ident[EI_CLASS]) + "; this process is " +
                      machine_name(own->e_machine) + ", " + class_name(own->e_ident[EI_CLASS]),
                  "build it for this machine");
  }
  if (header.e_type != ET_DYN) {
    return refuse(header.e_type == ET_REL ? "is an object file (.o), not a shared object" : "is a program, not a shared object",
                  "link it with -shared");
  }
  std::vector<Elf64_Phdr> segments;
  if (!read_table(file, size, header.e_phoff, header.e_phnum, header.e_phentsize, segments)) return refuse(cut_off, copy_again);
  for (const auto& segment : segments) {
    // A mapped page beyond the end of the file would end the process with SIGBUS instead of an error.
    if (segment.p_type == PT_LOAD && !within(segment.p_offset, segment.p_filesz, size)) return refuse(cut_off, copy_again);
  }
  std::vector<Elf64_Shdr> sections;
  if (!read_table(file, size, header.e_shoff, header.e_shnum, header.e_shentsize, sections)) return refuse(cut_off, copy_again);
  if (!exports(file, size, sections, symbol).value_or(true)) {
    return refuse("is a shared object but not a cdcrt plugin: it does not export " + symbol,
                  "a plugin ends with CDCRT_SOURCE(...), CDCRT_FORMAT(...) or CDCRT_SINK(...), and its linker script must keep " + symbol +
                      " visible");
  }
  return {};
}

}  // namespace cdcrt::plugin
