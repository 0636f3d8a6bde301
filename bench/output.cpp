#include "output.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace cdcrt::bench {

Output::Output(const std::string& path) : file_(path == "-" ? stdout : std::fopen(path.c_str(), "wb")) {
  if (file_ == nullptr) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
}

Output::~Output() {
  if (file_ != nullptr && file_ != stdout) std::fclose(file_);
}

void Output::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size())
    throw std::runtime_error(std::string("write failed: ") + std::strerror(errno));
}

void Output::close() {
  std::FILE* const file = file_;
  file_ = nullptr;
  if ((file == stdout ? std::fflush(file) : std::fclose(file)) != 0)
    throw std::runtime_error(std::string("write failed: ") + std::strerror(errno));
}

}  // namespace cdcrt::bench
