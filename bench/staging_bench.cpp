// Rows to CSV, to gzip, to S3: what each step costs a core. Prints one JSON object per line.
//
//   staging_bench [--rows N] [--level 0..3] [--dump FILE] [--endpoint URL --bucket B] (keys from the environment)
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "aws/gzip_stream.hpp"
#include "aws/staging.hpp"
#include "redshift_csv.hpp"

using namespace cdcrt;

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Orders as a shop writes them: keys, money, names, an address, a comment, JSON, times, some NULLs.
class Orders {
 public:
  static constexpr std::size_t kColumns = 14;

  void next(cdcrt_cell* cells) {
    ++id_;
    const auto integer = [&](std::size_t at, cdcrt_tag tag, int64_t value) {
      cells[at] = {};
      cells[at].tag = static_cast<uint8_t>(tag);
      cells[at].value.integer = value;
    };
    const auto text = [&](std::size_t at, cdcrt_tag tag, const std::string& value) {
      cells[at] = {};
      cells[at].tag = static_cast<uint8_t>(tag);
      cells[at].size = static_cast<uint32_t>(value.size());
      cells[at].value.data = value.data();
    };
    integer(0, CDCRT_I64, id_);
    integer(1, CDCRT_I64, static_cast<int64_t>(random() % 1'000'000));
    text(2, CDCRT_STRING, pick(kStates));
    char money[24];
    std::snprintf(money, sizeof money, "%u.%02u", static_cast<unsigned>(random() % 100'000), static_cast<unsigned>(random() % 100));
    money_ = money;
    text(3, CDCRT_DECIMAL, money_);
    text(4, CDCRT_STRING, pick(kNames));
    email_ = pick(kNames) + std::to_string(random() % 10'000) + "@example.com";
    text(5, CDCRT_STRING, email_);
    comment_.clear();
    for (uint64_t words = random() % 16; words > 0; --words) comment_ += pick(kWords) + " ";
    text(6, CDCRT_STRING, comment_);
    json_ = R"({"items":)" + std::to_string(random() % 20) + R"(,"gift":)" + (random() % 2 == 0 ? "true" : "false") + R"(,"code":")" +
            pick(kWords) + "\"}";
    text(7, CDCRT_JSON, json_);
    integer(8, CDCRT_BOOL, static_cast<int64_t>(random() % 2));
    integer(9, CDCRT_DATE, 19'000 + static_cast<int64_t>(random() % 1'000));
    integer(10, CDCRT_TIMESTAMP, 1'700'000'000'000'000 + static_cast<int64_t>(random() % 100'000'000'000'000));
    integer(11, CDCRT_TIMESTAMPTZ, 1'700'000'000'000'000 + id_ * 1'234'567);
    if (random() % 4 == 0) {
      integer(12, CDCRT_NULL, 0);
    } else {
      cells[12] = {};
      cells[12].tag = CDCRT_F64;
      cells[12].value.real = static_cast<double>(random() % 1'000'000) / 997;
    }
    integer(13, CDCRT_NULL, 0);
  }

 private:
  uint64_t random() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_;
  }
  template <std::size_t N>
  const std::string& pick(const std::string (&texts)[N]) {
    return texts[random() % N];
  }
  const std::string kStates[4] = {"new", "paid", "shipped", "returned"};
  const std::string kNames[8] = {"Ada Lovelace", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov",
                                 "Alan Turing",  "Tony Hoare",   "Frances Allen",   "Donald Knuth"};
  const std::string kWords[12] = {"please", "deliver", "after", "noon", "\"fragile\"", "leave",
                                  "at",     "the",     "door",  "ring", "twice",       "na\xc3\xafve"};
  int64_t id_ = 0;
  uint64_t state_ = 88172645463325252u;
  std::string money_, email_, comment_, json_;
};

/// A window of generated rows that is encoded over and over: generating is not what is measured.
struct Window {
  static constexpr std::size_t kRows = 20'000;
  Window() {
    Orders orders;
    cdcrt_cell row[Orders::kColumns];
    cells.reserve(kRows * Orders::kColumns);
    texts.reserve(kRows * Orders::kColumns);
    for (std::size_t i = 0; i < kRows; ++i) {
      orders.next(row);
      for (auto& cell : row) {
        if (cell.tag == CDCRT_STRING || cell.tag == CDCRT_DECIMAL || cell.tag == CDCRT_JSON) {
          texts.emplace_back(cell.value.data, cell.size);
          cell.value.data = texts.back().data();
        }
        cells.push_back(cell);
      }
    }
  }
  std::vector<cdcrt_cell> cells;
  std::vector<std::string> texts;
};

void encode(sql::RedshiftCsv& csv, const Window& window, uint64_t row, std::string& out) {
  const cdcrt_cell* cells = &window.cells[row % Window::kRows * Orders::kColumns];
  csv.append_number(out, row);
  for (std::size_t i = 0; i < Orders::kColumns; ++i) {
    out += ',';
    csv.append(out, cells[i], i == 7 ? sql::redshift::Storage::kSuper : sql::redshift::Storage::kOther);
  }
  out += '\n';
}

struct Measure {
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  double cpu = cpu_seconds();
  void report(const char* what, uint64_t rows, uint64_t text_bytes, uint64_t stored_bytes) const {
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), used = cpu_seconds() - cpu;
    std::printf(
        "{\"step\": \"%s\", \"rows\": %llu, \"text_bytes\": %llu, \"stored_bytes\": %llu, \"seconds\": %.3f, \"cpu_seconds\": %.3f, "
        "\"rows_per_cpu_second\": %.0f, \"text_mb_per_cpu_second\": %.1f, \"peak_kb\": %ld}\n",
        what, static_cast<unsigned long long>(rows), static_cast<unsigned long long>(text_bytes),
        static_cast<unsigned long long>(stored_bytes), wall, used, static_cast<double>(rows) / used,
        static_cast<double>(text_bytes) / 1e6 / used, peak_kilobytes());
    std::fflush(stdout);
  }
};

void encode_only(const Window& window, uint64_t rows, const std::string& dump) {
  std::ofstream file;
  if (!dump.empty()) file.open(dump, std::ios::binary);
  sql::RedshiftCsv csv(sql::make_null_text());
  std::string out;
  uint64_t bytes = 0;
  const Measure measure;
  for (uint64_t row = 0; row < rows; ++row) {
    encode(csv, window, row, out);
    if (out.size() < (64u << 10) && row + 1 < rows) continue;
    bytes += out.size();
    if (file.is_open()) file << out;
    out.clear();
  }
  measure.report(dump.empty() ? "encode" : "encode and dump", rows, bytes, bytes);
}

void encode_and_compress(const Window& window, uint64_t rows, int level) {
  sql::RedshiftCsv csv(sql::make_null_text());
  aws::GzipStream gzip(level);
  std::vector<char> part(8u << 20);
  std::string out;
  uint64_t bytes = 0, stored = 0;
  const Measure measure;
  for (uint64_t row = 0; row < rows; ++row) {
    encode(csv, window, row, out);
    if (out.size() < (64u << 10) && row + 1 < rows) continue;
    bytes += out.size();
    for (std::string_view rest = out; !rest.empty();) {
      char* end = part.data();
      gzip.compress(rest, end, part.data() + part.size());
      stored += static_cast<uint64_t>(end - part.data());
    }
    out.clear();
  }
  for (bool ended = false; !ended;) {
    char* end = part.data();
    ended = gzip.finish(end, part.data() + part.size());
    stored += static_cast<uint64_t>(end - part.data());
  }
  measure.report("encode and gzip", rows, bytes, stored);
}

int stage(const Window& window, uint64_t rows, int level, const std::string& endpoint, const std::string& bucket) {
  aws::S3Settings settings;
  settings.endpoint = endpoint;
  settings.bucket = bucket;
  settings.path_style = true;
  aws::S3Client client(settings, aws::default_credentials({}));
  aws::StagingSettings staging;
  staging.level = level;
  sql::RedshiftCsv csv(sql::make_null_text());
  aws::StagedSet set;
  const Measure measure;
  {
    aws::StagingWriter writer(client, staging, "bench/", "rows", rows, 4);
    for (uint64_t row = 0; row < rows; ++row) {
      encode(csv, window, row, writer.text());
      if (auto ended = writer.end_row(); !ended.ok()) {
        std::fprintf(stderr, "%s\n", std::string(ended.message()).c_str());
        return 1;
      }
    }
    if (auto finished = writer.finish(set); !finished.ok()) {
      std::fprintf(stderr, "%s\n", std::string(finished.message()).c_str());
      return 1;
    }
  }
  uint64_t bytes = 0, stored = 0;
  for (const auto& file : set.files) bytes += file.text_bytes, stored += file.stored_bytes;
  measure.report("encode, gzip and upload", rows, bytes, stored);
  return client.delete_objects(set.keys()).ok() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  uint64_t rows = 2'000'000;
  int level = 1;
  std::string dump, endpoint, bucket = "staging";
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i], value = arguments[i + 1];
    if (name == "--rows") rows = std::strtoull(value.c_str(), nullptr, 10);
    if (name == "--level") level = std::atoi(value.c_str());
    if (name == "--dump") dump = value;
    if (name == "--endpoint") endpoint = value;
    if (name == "--bucket") bucket = value;
  }
  const Window window;
  if (!dump.empty()) {
    encode_only(window, rows, dump);
    return 0;
  }
  encode_only(window, rows, "");
  encode_and_compress(window, rows, level);
  return endpoint.empty() ? 0 : stage(window, rows, level, endpoint, bucket);
}
