#include "manifest/interpolation.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;

bool is_name(std::string_view text) {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  for (char letter : text) {
    const bool good =
        (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_';
    if (!good) return false;
  }
  return true;
}

class Resolver {
 public:
  Resolver(const std::string& folder, References& references, Report& report) : folder_(folder), references_(references), report_(report) {}

  void resolve(Node& node) {
    const bool outer = in_secret_;
    for (auto& entry : node.entries) {
      in_secret_ = outer || diagnostics::names_a_secret(entry.key);
      if (depth_ == 0) section_ = entry.key;
      if (depth_ == 1) component_ = entry.key;
      ++depth_;
      resolve(entry.value);
      --depth_;
    }
    in_secret_ = outer;
    for (auto& item : node.items) resolve(item);
    if (node.kind != Node::Kind::kString || node.text.find('$') == std::string::npos) return;
    const std::string text = std::move(node.text);
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] != '$') {
        result += text[i++];
      } else if (text.compare(i, 2, "$$") == 0) {
        result += '$';
        i += 2;
      } else if (text.compare(i, 2, "${") != 0) {
        result += text[i++];
      } else {
        const std::size_t end = text.find('}', i);
        if (end == std::string::npos) {
          fail(node, text.substr(i, 24), diagnostics::kBadInterpolation, "'${' without '}'", "write $${ where a plain ${ is meant");
          break;
        }
        const std::string reference = text.substr(i, end + 1 - i);
        if (const auto value = look_up(node, reference)) result += *value;
        node.loose = true;
        i = end + 1;
      }
    }
    node.text = std::move(result);
  }

 private:
  void fail(Node& node, const std::string& reference, std::string_view code, std::string message, std::string help) {
    node.broken = true;
    report_.error(code, find_in_source(node.position, reference), std::move(message), std::move(help));
  }

  /// Where the reference itself stands; escapes and lines of their own may hide it, then the value's place.
  Position find_in_source(const Position& value, const std::string& reference) {
    const std::string_view line = report_.texts().raw_line(value.file, value.line);
    std::size_t offset = 0;
    for (uint32_t i = 1; i < value.column && offset < line.size(); ++i) offset += diagnostics::character_at(line, offset).bytes;
    const std::size_t found = line.find(reference, offset);
    if (found == std::string_view::npos) return value;
    Position position = value;
    position.column = static_cast<uint32_t>(diagnostics::count_characters(line.substr(0, found))) + 1;
    position.length = static_cast<uint32_t>(diagnostics::count_characters(reference));
    return position;
  }

  /// A reference as it may be shown: its default is a value, and what looks like one in a secret may be a part of it.
  [[nodiscard]] std::string shown(const std::string& reference) const {
    if (in_secret_) return "'${...}'";
    const std::size_t fallback = reference.find(":-");
    return quote(fallback == std::string::npos ? reference : reference.substr(0, fallback) + ":-...}");
  }

  std::optional<std::string> look_up(Node& node, const std::string& reference) {
    const std::string body = reference.substr(2, reference.size() - 3);
    const std::size_t colon = body.find(':');
    const std::string kind = body.substr(0, colon), rest = colon == std::string::npos ? std::string() : body.substr(colon + 1);
    if (colon == std::string::npos) {
      fail(node, reference, diagnostics::kBadInterpolation, shown(reference) + " does not say where the value comes from",
           is_name(body) && !in_secret_ ? "for an environment variable write ${env:" + body + "}; for a plain ${ write $${"
                                        : "kinds: " + forms() + "; for a plain ${ write $${");
      return std::nullopt;
    }
    if (kind == "env") return environment(node, reference, rest);
    if (kind == "file") return file(node, reference, rest);
    if (kind == "credential") return credential(node, reference, rest);
    std::vector<std::string> known{"env", "file", "credential"};
    for (const SecretKind& other : references_.kinds) {
      if (kind == other.name) return secret(node, reference, other, rest);
      known.push_back(other.name);
    }
    fail(node, reference, diagnostics::kBadInterpolation,
         in_secret_ ? "a reference ${...} of a kind that is not known; for a plain ${ write $${"
                    : "unknown kind " + quote(kind) + " in " + shown(reference),
         diagnostics::did_you_mean(kind, known));
    return std::nullopt;
  }

  std::optional<std::string> environment(Node& node, const std::string& reference, const std::string& rest) {
    const std::size_t fallback = rest.find(":-");
    const std::string name = rest.substr(0, fallback);
    if (!is_name(name)) {
      fail(node, reference, diagnostics::kBadInterpolation,
           (in_secret_ ? "what follows ${env:" : quote(name)) + " is not the name of an environment variable", "");
      return std::nullopt;
    }
    const char* value = std::getenv(name.c_str());
    if (fallback != std::string::npos) {
      return value == nullptr || *value == '\0' ? rest.substr(fallback + 2) : std::string(value);
    }
    if (value == nullptr) {
      fail(node, reference, diagnostics::kUnsetVariable, "environment variable " + quote(name) + " is not set",
           "set it, or give a default: ${env:" + name + ":-...}");
      return std::nullopt;
    }
    if (sdk::find_invalid_utf8(value) != std::string_view::npos) {
      fail(node, reference, diagnostics::kUnsetVariable, "environment variable " + quote(name) + " is not UTF-8 text", "");
      return std::nullopt;
    }
    return value;
  }

  [[nodiscard]] std::string forms() const {
    std::string text = "${env:NAME}, ${env:NAME:-default}, ${file:/path}, ${credential:NAME}";
    for (const SecretKind& kind : references_.kinds) text += ", " + kind.form;
    return text;
  }

  /// Of the value that is resolved: "sinks.NAME", "sources.NAME", "dead_letters"; empty: none that has secrets.
  [[nodiscard]] std::string owner() const {
    if (section_ == "dead_letters") return section_;
    return section_ == "sinks" || section_ == "sources" ? section_ + "." + component_ : std::string();
  }

  /// What a component was given, which may be another thing later.
  void note_change(const GoodUntil& good_until) {
    if (owner().empty()) return;
    GoodUntil& earliest = references_.changing.try_emplace(owner()).first->second;
    if (good_until && (!earliest || *good_until < *earliest)) earliest = good_until;
  }

  [[nodiscard]] bool is_of_others() const { return !references_.only.empty() && !owner().empty() && owner() != references_.only; }

  std::optional<std::string> secret(Node& node, const std::string& reference, const SecretKind& kind, const std::string& rest) {
    note_change({});
    if (auto checked = kind.check(rest); !checked) {
      fail(node, reference, diagnostics::kBadInterpolation, checked.error().message, checked.error().hint);
      return std::nullopt;
    }
    if (!references_.read_secrets || is_of_others()) {
      node.broken = true;
      return std::nullopt;
    }
    auto found = kind.read(rest);
    if (!found) {
      fail(node, reference, diagnostics::kSecretUnavailable, found.error().message, found.error().hint);
      return std::nullopt;
    }
    if (sdk::find_invalid_utf8(found->text) != std::string_view::npos) {
      fail(node, reference, diagnostics::kSecretUnavailable, "the secret of " + quote(reference) + " is not UTF-8 text", "");
      return std::nullopt;
    }
    note_change(found->good_until);
    return std::move(found->text);
  }

  std::optional<std::string> file(Node& node, const std::string& reference, const std::string& name) {
    const auto refuse = [&](const std::string& why) {
      fail(node, reference, diagnostics::kSecretFileUnreadable, "cannot read " + quote(name) + ": " + why, "");
      return std::nullopt;
    };
    note_change({});
    if (name.empty() || name.find('\0') != std::string::npos) return refuse("not a path");
    std::filesystem::path path(name);
    if (path.is_relative()) path = std::filesystem::path(folder_) / path;
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status)) return refuse("it is a directory");
    if (!std::filesystem::exists(status)) return refuse(error && error.value() != ENOENT ? error.message() : "no such file");
    if (std::filesystem::is_regular_file(status) && std::filesystem::file_size(path, error) > kMaxFileBytes)
      return refuse("larger than 1 MiB");
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return refuse(std::strerror(errno));
    std::string text(kMaxFileBytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (stream.bad()) return refuse("reading failed");
    if (text.size() > kMaxFileBytes) return refuse("larger than 1 MiB");
    if (sdk::find_invalid_utf8(text) != std::string_view::npos) return refuse("it is not UTF-8 text");
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  /// One of those that systemd puts into a folder of the unit's own.
  std::optional<std::string> credential(Node& node, const std::string& reference, const std::string& name) {
    if (name.empty() || name.front() == '.' || name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      fail(node, reference, diagnostics::kBadInterpolation,
           (in_secret_ ? "what follows ${credential:" : quote(name)) + " is not the name of a credential",
           "a credential has a name without '/': that of LoadCredential= in the unit; for a path write ${file:/path}");
      return std::nullopt;
    }
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr || *folder == '\0') {
      fail(node, reference, diagnostics::kSecretFileUnreadable,
           "there is no credential " + quote(name) + ": CREDENTIALS_DIRECTORY is not set",
           "systemd sets it for units with LoadCredential=" + name +
               ":/path or SetCredential=; outside of a unit set it to a folder with the "
               "file, or use ${file:...}");
      return std::nullopt;
    }
    return file(node, reference, std::string(folder) + "/" + name);
  }

  int depth_ = 0;                    ///< of the entry that is resolved
  std::string section_, component_;  ///< [section.component] around it
  bool in_secret_ = false;           ///< below a key that names one
  const std::string& folder_;
  References& references_;
  Report& report_;
};

}  // namespace

void interpolate(Node& root, const std::string& folder, References& references, Report& report) {
  Resolver(folder, references, report).resolve(root);
}

}  // namespace cdcrt::manifest
