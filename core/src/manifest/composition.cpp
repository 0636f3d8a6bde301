#include "manifest/composition.hpp"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"
#include "manifest/interpolation.hpp"
#include "manifest/toml_text.hpp"

namespace cdcrt::manifest {
namespace {

namespace fs = std::filesystem;
using diagnostics::quote;

constexpr std::size_t kMaxManifestBytes = 16 << 20;

std::string identity(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

class Composer {
 public:
  Composer(References& references, Report& report) : references_(references), report_(report) {}

  /// `asked_at`: the include that names the file; of a file of the command line: the file itself.
  std::optional<Node> read(const std::string& file, const Position& asked_at, bool included) {
    std::string why;
    auto text = read_whole_file(file, why);
    if (!text) {
      if (included) {
        report_.error(why == "does not exist" ? diagnostics::kIncludeMissing : diagnostics::kFileUnreadable, asked_at,
                      "included file " + quote(file) + " " + why, "");
      } else {
        report_.error(diagnostics::kFileUnreadable, asked_at, "the manifest " + why,
                      why == "is a directory" ? "name the file inside it" : "check the path given with --manifest");
      }
      return std::nullopt;
    }
    auto root = parse_toml(file, std::move(*text), report_);
    if (!root) return std::nullopt;
    stack_.push_back(identity(file));
    seen_.insert(stack_.back());
    const bool whole = add_includes(*root, file);
    stack_.pop_back();
    if (!whole) return std::nullopt;
    return root;
  }

 private:
  bool add_includes(Node& root, const std::string& file) {
    const auto found = std::find_if(root.entries.begin(), root.entries.end(), [](const Entry& entry) { return entry.key == "include"; });
    if (found == root.entries.end()) return true;
    Node list = std::move(found->value);
    const Position key = found->position;
    root.entries.erase(found);
    if (list.kind != Node::Kind::kArray) {
      report_.error(diagnostics::kWrongType, list.is_table() ? key : list.position,
                    "'include' must be a list of strings, not " + std::string(describe(list.kind)), "write include = [\"teams/*.toml\"]");
      return true;
    }
    const std::string folder = fs::path(file).parent_path().string();
    interpolate(list, folder.empty() ? "." : folder, references_, report_);
    bool whole = true;
    for (const Node& item : list.items) {
      if (item.broken) continue;
      if (item.kind != Node::Kind::kString) {
        report_.error(diagnostics::kWrongType, item.position,
                      "'include' must be a list of strings, not of " + std::string(describe(item.kind)), "");
        continue;
      }
      whole = add_matches(root, item, folder, file) && whole;
    }
    return whole;
  }

  bool add_matches(Node& root, const Node& pattern, const std::string& folder, const std::string& file) {
    bool whole = true;
    const auto paths = expand(pattern.text, folder);
    const bool is_path = paths.size() == 1 && !is_glob(pattern.text);
    for (const std::string& path : paths) {
      const std::string name = identity(path);
      if (!is_path && name == identity(file)) continue;  // "*.toml" beside itself
      if (const auto circle = std::find(stack_.begin(), stack_.end(), name); circle != stack_.end()) {
        std::vector<std::string> notes;
        for (auto step = circle; step != stack_.end(); ++step) notes.push_back(*step + " includes");
        notes.push_back(name);
        report_.error(diagnostics::kIncludeCycle, pattern.position, quote(path) + " includes itself", "take one of the includes out",
                      notes);
        whole = false;
        continue;
      }
      if (seen_.contains(name)) continue;  // reached on two ways: its keys are there already
      if (auto included = read(path, pattern.position, true)) {
        add_included(root, std::move(*included), report_);
      } else {
        whole = false;
      }
    }
    return whole;
  }

  References& references_;
  Report& report_;
  std::vector<std::string> stack_;
  std::set<std::string> seen_;
};

/// As people count: "part-2" before "part-10".
bool comes_before(std::string_view left, std::string_view right) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t l = 0, r = 0;
  while (l < left.size() && r < right.size()) {
    if (!is_digit(left[l]) || !is_digit(right[r])) {
      if (left[l] != right[r]) return static_cast<unsigned char>(left[l]) < static_cast<unsigned char>(right[r]);
      ++l, ++r;
      continue;
    }
    const auto number = [&](std::string_view text, std::size_t& at) {
      while (at < text.size() && text[at] == '0') ++at;
      const std::size_t begin = at;
      while (at < text.size() && is_digit(text[at])) ++at;
      return text.substr(begin, at - begin);
    };
    const std::string_view one = number(left, l), other = number(right, r);
    if (one.size() != other.size()) return one.size() < other.size();
    if (one != other) return one < other;
  }
  if (left.size() - l != right.size() - r) return left.size() - l < right.size() - r;
  return left < right;  // equal but for zeros in front
}

}  // namespace

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

std::optional<std::string> read_whole_file(const std::string& path, std::string& why) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::is_directory(status)) {
    why = "is a directory";
    return std::nullopt;
  }
  if (!fs::exists(status)) {
    why = error && error.value() != ENOENT && error.value() != ENOTDIR ? "cannot be read: " + error.message() : "does not exist";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    why = std::string("cannot be read: ") + std::strerror(errno);
    return std::nullopt;
  }
  std::string text;
  char block[1 << 16];
  while (stream.read(block, sizeof block) || stream.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kMaxManifestBytes) {
      why = "is larger than 16 MiB";
      return std::nullopt;
    }
  }
  if (stream.bad()) {
    why = "cannot be read to its end";
    return std::nullopt;
  }
  return text;
}

std::string absolute_path(const std::string& path, const std::string& folder) {
  fs::path result(path);
  if (result.is_relative()) result = fs::path(folder) / result;
  std::error_code error;
  const fs::path absolute = fs::absolute(result, error);
  return (error ? result : absolute).lexically_normal().string();
}

std::vector<std::string> expand(const std::string& pattern, const std::string& folder) {
  fs::path path(pattern);
  if (path.is_relative() && !folder.empty()) path = fs::path(folder) / path;
  std::error_code error;
  if (!is_glob(pattern) || fs::exists(path, error)) return {path.string()};
  // Only the pattern's own characters are a glob's, never those of the folder it stands in.
  std::string escaped;
  const std::string whole = path.string();
  const std::size_t own = whole.size() - pattern.size();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i < own && (is_glob(whole.substr(i, 1)) || whole[i] == '\\')) escaped += '\\';
    escaped += whole[i];
  }
  glob_t matches{};
  std::vector<std::string> result;
  if (::glob(escaped.c_str(), 0, nullptr, &matches) == 0) {
    for (std::size_t i = 0; i < matches.gl_pathc; ++i) result.emplace_back(matches.gl_pathv[i]);
  }
  ::globfree(&matches);
  std::sort(result.begin(), result.end(), comes_before);
  return result;
}

std::optional<Node> compose(const std::vector<std::string>& files, const std::vector<std::string>& sets, const std::string& folder,
                            References& references, Report& report) {
  std::optional<Node> root;
  bool whole = true;
  for (const std::string& file : files) {
    auto tree = Composer(references, report).read(file, Position{file, 0, 0, 1}, false);
    if (!tree) {
      whole = false;
    } else if (root) {
      overlay(*root, std::move(*tree));
    } else {
      root = std::move(tree);
    }
  }
  std::string set_text;
  for (const std::string& set : sets) set_text += set.substr(0, set.find('\n')) + "\n";
  if (!sets.empty()) report.texts().add("--set", set_text);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    auto tree = parse_set(sets[i], static_cast<uint32_t>(i + 1), report);
    if (!tree) {
      whole = false;
    } else if (root) {
      overlay(*root, std::move(*tree));
    }
  }
  if (!root || !whole) return std::nullopt;
  interpolate(*root, folder, references, report);
  return root;
}

}  // namespace cdcrt::manifest
