#include "cli/import_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/spark_job.hpp"
#include "cli/spark_job_manifest.hpp"
#include "diagnostics/codes.hpp"
#include "diagnostics/renderer.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

namespace fs = std::filesystem;
using diagnostics::quote;

constexpr std::size_t kLargestJob = 16 << 20;

/// False: it cannot be read, and `text` says why.
bool read_job_file(const std::string& path, std::string& text) {
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return true;
  }
  std::error_code failed;
  if (fs::is_directory(path, failed)) {
    text = "it is a directory";
    return false;
  }
  std::ifstream stream(path, std::ios::binary);
  if (stream) text.assign(std::istreambuf_iterator<char>(stream), {});
  if (!stream || stream.bad()) {
    text = std::strerror(errno);
    return false;
  }
  return true;
}

}  // namespace

int import_manifest(const ImportArguments& arguments, std::ostream& out) {
  if (arguments.file.starts_with("s3://")) {
    return complain("a file in S3 is not read here", "aws s3 cp " + arguments.file + " - | cdcrt manifest import -");
  }
  const bool is_schema = std::all_of(arguments.schema.begin(), arguments.schema.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
  if (!is_schema && arguments.schema != "*") {
    return complain(quote(arguments.schema) + " is no name of a schema", "letters, digits and '_', or '*' for all schemas");
  }
  if (!arguments.output.empty() && fs::exists(arguments.output)) {
    return complain(quote(arguments.output) + " is there already and is left as it is", "name another file with --output");
  }
  std::string text;
  if (!read_job_file(arguments.file, text)) return complain("cannot read " + quote(arguments.file) + ": " + text, "", kEnvironment);
  if (text.size() > kLargestJob) return complain(quote(arguments.file) + " is larger than 16 MiB", "is it the job's .properties file?");

  Findings file(arguments.file == "-" ? "standard input" : arguments.file, std::move(text));
  const SparkJob job = read_spark_job(file);
  const std::string manifest = spark_job_manifest(job, arguments.schema, file);
  std::cerr << file.render(diagnostics::wants_colour(STDERR_FILENO));
  if (file.has_errors()) return kManifestOrUsage;
  if (arguments.output.empty()) {
    out << manifest;
    return kDone;
  }
  std::ofstream stream(arguments.output, std::ios::binary);
  stream << manifest;
  if (!stream.flush()) return complain("cannot write " + quote(arguments.output), "", kEnvironment);
  std::cerr << diagnostics::printable(arguments.output) << ": written; next: cdcrt validate --manifest "
            << diagnostics::printable(arguments.output) << "\n";
  return kDone;
}

}  // namespace cdcrt::cli
