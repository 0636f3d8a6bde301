#include "manifest/toml_text.hpp"

// The installed library is built with exceptions; errors as values need the parser compiled in here.
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <memory>

#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::manifest {
namespace {

constexpr std::string_view kBareKey = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
constexpr std::size_t kDeepestKey = 64;  // parts of one dotted key; the parser itself bounds nested lists and inline tables

/// Characters from `begin` to `end`, a line feed counting as one.
uint32_t length_of(const toml::source_region& region, const std::string& file, const diagnostics::SourceTexts& texts) {
  const auto begin = region.begin, end = region.end;
  if (end.line <= begin.line) return end.column > begin.column ? end.column - begin.column : 1;
  std::size_t length = 0;
  for (auto line = begin.line; line < end.line; ++line) {
    length += diagnostics::count_characters(texts.raw_line(file, line)) + 1;
  }
  return static_cast<uint32_t>(length) - (begin.column - 1) + (end.column - 1);
}

class Converter {
 public:
  Converter(std::string file, const diagnostics::SourceTexts& texts, Position moved_by = {})
      : file_(std::move(file)), texts_(texts), moved_by_(std::move(moved_by)) {}

  Position position(const toml::source_region& region) const {
    Position position{file_, region.begin.line, region.begin.column, length_of(region, file_, texts_)};
    if (!moved_by_.file.empty()) {
      position.line = moved_by_.line;
      position.column += moved_by_.column;
    }
    return position;
  }

  Node table(const toml::table& table, const Position& name) const {
    Node node;
    node.position = name;
    node.inline_table = table.is_inline();
    for (const auto& [key, value] : table) {
      Entry entry;
      entry.key = std::string(key.str());
      entry.position = position(key.source());
      entry.value = convert(value, entry.position);
      node.entries.push_back(std::move(entry));
    }
    std::stable_sort(node.entries.begin(), node.entries.end(), [](const Entry& left, const Entry& right) {
      return std::pair(left.position.line, left.position.column) < std::pair(right.position.line, right.position.column);
    });
    return node;
  }

  Node convert(const toml::node& value, const Position& name) const {
    if (const auto* nested = value.as_table()) return table(*nested, name);
    Node node;
    node.position = position(value.source());
    if (const auto* list = value.as_array()) {
      node.kind = Node::Kind::kArray;
      for (const auto& item : *list) node.items.push_back(convert(item, position(item.source())));
      // [[x]]: the parser points at the last header; the name is the better place.
      if (list->is_array_of_tables() && !list->empty()) node.position = name;
    } else if (const auto* string = value.as_string()) {
      node.kind = Node::Kind::kString;
      node.text = node.written = string->get();
    } else if (const auto* integer = value.as_integer()) {
      node.kind = Node::Kind::kInteger;
      node.integer = integer->get();
      node.text = std::to_string(node.integer);
    } else if (const auto* real = value.as_floating_point()) {
      node.kind = Node::Kind::kFloat;
      node.real = real->get();
      node.text = written(value.source());
    } else if (const auto* boolean = value.as_boolean()) {
      node.kind = Node::Kind::kBoolean;
      node.integer = boolean->get() ? 1 : 0;
      node.text = boolean->get() ? "true" : "false";
    } else {
      node.kind = Node::Kind::kTime;
      node.text = written(value.source());
    }
    return node;
  }

 private:
  /// A scalar's own characters: numbers and times keep their digits.
  std::string written(const toml::source_region& region) const {
    const Position place = position(region);
    const std::string_view line = texts_.raw_line(place.file, place.line);
    std::size_t offset = 0;
    for (uint32_t i = 1; i < place.column && offset < line.size(); ++i) offset += diagnostics::character_at(line, offset).bytes;
    std::string text(line.substr(offset, place.length));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    return text;
  }

  std::string file_;
  const diagnostics::SourceTexts& texts_;
  Position moved_by_;  // of text that stands inside other text: its line, and columns to add
};

/// "Error while parsing key-value pair: expected value" -> "expected value", without what it quotes of the file.
std::string plain_message(std::string_view description) {
  std::string message(description), scope;
  if (message.starts_with("Error while parsing ")) {
    const std::size_t colon = message.find(": ");
    if (colon != std::string::npos) {
      scope = " (in a " + message.substr(20, colon - 20) + ")";
      message = message.substr(colon + 2);
    }
  }
  message = message.substr(0, message.find(", saw "));
  if (message.starts_with("unknown escape sequence")) message = "unknown escape sequence";
  // Names of keys and what the grammar asks for may be shown, anything else may be a value.
  const bool quotes = message.find('\'') != std::string::npos;
  if (quotes && !message.starts_with("expected ") && !message.starts_with("cannot redefine existing "))
    message = "the value is not valid TOML";
  return message + scope;
}

std::string advice(std::string_view description) {
  const auto says = [&](std::string_view text) { return description.find(text) != std::string_view::npos; };
  if (says("cannot redefine existing table")) return "a table has one header; put its keys together";
  if (says("cannot redefine")) return "give each key once; an overlay (--manifest, --set) changes a value";
  if (says("expected value, saw")) return "strings need quotes: key = \"value\"";
  if (says("in the current context")) return "strings need quotes: key = \"value\"";
  if (says("leading zeroes")) return "write the number without leading zeroes, or as a string";
  return {};
}

/// Where the statement that reaches to `end` begins; `is_open`: `end` lies within its value.
struct Statement {
  std::size_t begin = 0;
  bool is_open = false;
};

Statement statement_before(std::string_view text, std::size_t end) {
  Statement statement;
  bool in_value = false;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const char c = text[i];
    if (c == '#') {
      i = std::min(text.find('\n', i), end) - 1;
    } else if (c == '"' || c == '\'') {
      const bool is_long = text.compare(i, 3, std::string(3, c)) == 0;
      i += is_long ? 3 : 1;
      while (i < end && (is_long ? text.compare(i, 3, std::string(3, c)) != 0 : text[i] != c && text[i] != '\n'))
        i += c == '"' && text[i] == '\\' ? 2 : 1;
      if (i >= end) {
        statement.is_open = is_long;
        return statement;
      }
      if (is_long) i += 2;
      if (text[i] == '\n') --i;
    } else if (c == '=') {
      in_value = true;
    } else if (in_value && (c == '[' || c == '{')) {
      ++depth;
    } else if (in_value && (c == ']' || c == '}') && depth > 0) {
      --depth;
    } else if (c == '\n' && depth == 0) {
      in_value = false;
      statement.begin = i + 1;
    }
  }
  statement.is_open = depth > 0;
  return statement;
}

/// Characters of a line up to which nothing but the key of a statement, or the name of a table, stands; 0: there is neither.
std::size_t length_of_key(std::string_view line) {
  const auto is_bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  std::size_t i = 0;
  const auto skip_space = [&] {
    while (i < line.size() && is_space(line[i])) ++i;
  };
  skip_space();
  const bool is_header = i < line.size() && line[i] == '[';
  while (i < line.size() && line[i] == '[') ++i;
  std::size_t end = i;
  while (true) {
    skip_space();
    if (i < line.size() && (line[i] == '"' || line[i] == '\'')) {
      const std::size_t close = line.find(line[i], i + 1);
      if (close == std::string_view::npos) break;
      i = close + 1;
    } else if (i < line.size() && is_bare(line[i])) {
      while (i < line.size() && is_bare(line[i])) ++i;
    } else {
      break;
    }
    end = i;
    skip_space();
    if (i == line.size() || line[i] != '.') break;
    ++i;
  }
  if (is_header) {
    while (end < line.size() && line[end] == ']') ++end;
    return end;
  }
  if (i < line.size() && line[i] == '=') return i + 1;
  return i < line.size() && line[i] == ':' ? end : 0;
}

/// Text that is not TOML has no values that could be told from keys for certain: of the line that is shown only the key stays.
/// Answers the key, where the line stands in the middle of its value.
std::string cover_values(diagnostics::SourceTexts& texts, const std::string& file, std::string_view text, uint32_t line) {
  std::size_t begin = 0;
  for (uint32_t i = 1; i < line && begin < text.size(); ++i) begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
  const std::string_view shown = texts.raw_line(file, line);
  const Statement statement = statement_before(text, begin);
  const std::size_t key = statement.is_open ? 0 : length_of_key(shown);
  const auto characters = static_cast<uint32_t>(diagnostics::count_characters(shown.substr(0, key)));
  texts.mask({file, line, characters + 1, static_cast<uint32_t>(diagnostics::count_characters(shown)) - characters});
  if (!statement.is_open) return {};
  const std::string_view first = text.substr(statement.begin, text.find('\n', statement.begin) - statement.begin);
  std::string name(first.substr(0, length_of_key(first)));
  if (name.ends_with('=')) name.pop_back();
  while (name.ends_with(' ')) name.pop_back();
  return name;
}

/// Offset of a dotted key with more parts than the tree may be deep, or npos.
std::size_t find_deep_key(std::string_view text) {
  std::size_t dots = 0, begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    const bool in_key = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
                        letter == '_' || letter == '-' || letter == ' ' || letter == '\t' || letter == '"' || letter == '\'';
    if (letter == '.') {
      if (++dots > kDeepestKey) return begin;
    } else if (!in_key) {
      dots = 0;
      begin = i + 1;
    }
  }
  return std::string_view::npos;
}

Position position_at(const std::string& file, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {file, line + 1, static_cast<uint32_t>(diagnostics::count_characters(before.substr(start))) + 1, 1};
}

std::optional<toml::table> parse(std::string_view text) {
  if (find_deep_key(text) != std::string_view::npos) return std::nullopt;
  toml::parse_result result = toml::parse(text);
  if (!result) return std::nullopt;
  return std::move(result).table();
}

void loosen(Node& node) {
  node.loose = true;
  for (auto& item : node.items) loosen(item);
  for (auto& entry : node.entries) loosen(entry.value);
}

}  // namespace

std::optional<Node> parse_toml(const std::string& file, std::string text, Report& report) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  report.texts().add(file, text);
  if (text.find('\0') != std::string::npos || sdk::find_invalid_utf8(text) != std::string::npos) {
    const std::size_t offset = std::min(text.find('\0'), sdk::find_invalid_utf8(text));
    const Position position = position_at(file, text, offset);
    (void)cover_values(report.texts(), file, text, position.line);
    const auto byte = diagnostics::printable(std::string_view(text).substr(offset, 1));
    report.error(diagnostics::kNotText, position, "the file is not UTF-8 text, byte " + byte, "a manifest is a TOML file in UTF-8");
    return std::nullopt;
  }
  if (const std::size_t offset = find_deep_key(text); offset != std::string::npos) {
    const Position position = position_at(file, text, offset);
    (void)cover_values(report.texts(), file, text, position.line);
    report.error(diagnostics::kSyntax, position, "a key has more than " + std::to_string(kDeepestKey) + " parts");
    return std::nullopt;
  }
  const toml::parse_result result = toml::parse(std::string_view(text), std::string_view(file));
  const Converter converter(file, report.texts());
  if (!result) {
    const Position position = converter.position(result.error().source());
    const auto description = result.error().description();
    const std::string key = cover_values(report.texts(), file, text, position.line);
    report.error(diagnostics::kSyntax, position,
                 plain_message(description) + (key.empty() ? std::string() : ", in the value of " + diagnostics::quote(key)),
                 advice(description));
    return std::nullopt;
  }
  return converter.table(result.table(), Position{file, 0, 0, 1});
}

std::optional<Node> parse_set(std::string_view argument, uint32_t line, Report& report, const std::string& flag) {
  const auto refuse = [&](uint32_t column, std::size_t length, std::string message) {
    // What is wrong may be that a value stands where a key should.
    const std::string_view shown = report.texts().raw_line(flag, line);
    std::size_t key_size = std::min(shown.find_first_not_of(kBareKey), shown.size());
    if (key_size == shown.size()) key_size = shown.rfind('.') == std::string_view::npos ? 0 : shown.rfind('.') + 1;
    const auto characters = static_cast<uint32_t>(diagnostics::count_characters(shown.substr(0, key_size)));
    report.texts().mask({flag, line, characters + 1, static_cast<uint32_t>(diagnostics::count_characters(shown)) - characters});
    report.error(diagnostics::kBadSet, {flag, line, column, static_cast<uint32_t>(std::max<std::size_t>(length, 1))}, std::move(message),
                 flag == "--set" ? "write --set table.key=value, for instance --set runtime.memory=64MiB" : "write " + flag + " key=value");
    return std::nullopt;
  };
  const std::size_t equals = argument.find('=');
  if (sdk::find_invalid_utf8(argument) != std::string_view::npos || argument.find('\n') < equals) {
    return refuse(1, 1, "a " + flag + " argument must be one line of UTF-8");
  }
  if (equals == std::string_view::npos) return refuse(1, diagnostics::count_characters(argument), "a " + flag + " argument has no '='");
  const std::string_view key = argument.substr(0, equals), value = argument.substr(equals + 1);
  const auto shift = static_cast<uint32_t>(diagnostics::count_characters(key)) + 1;

  Node leaf;
  leaf.kind = Node::Kind::kString;
  leaf.text = leaf.written = std::string(value);
  leaf.position = {flag, line, shift + 1, static_cast<uint32_t>(std::max<std::size_t>(1, diagnostics::count_characters(value)))};
  // Whatever stands before it may be a password, in a text without quotes of its own.
  if (value.find('@') != std::string_view::npos) report.texts().mask(leaf.position);
  constexpr uint32_t kPrefix = 4;  // "v = "
  if (const auto parsed = parse("v = " + std::string(value)); parsed && parsed->size() == 1 && parsed->contains("v")) {
    const toml::node& node = *parsed->get("v");
    // A '#' in a bare string would silently cut it: only a value that is TOML to its end counts as TOML.
    const bool whole =
        node.is_table() || (node.source().end.line == 1 && node.source().end.column == kPrefix + 1 + diagnostics::count_characters(value));
    if (whole) {
      // The prefix is 4 characters wide; columns count inside the argument.
      leaf = Converter(flag, report.texts(), Position{flag, line, shift - kPrefix, 1}).convert(node, leaf.position);
      if (leaf.is_table()) leaf.position = {flag, line, shift + 1, 1};
    }
  }
  loosen(leaf);

  const std::string key_line = std::string(key) + " = 0";
  const auto parsed = key.find('#') == std::string_view::npos ? parse(key_line) : std::nullopt;
  if (!parsed || parsed->size() != 1)
    return refuse(1, shift - 1, "a " + flag + " argument begins with a key, and what stands before the '=' is none");
  const Converter converter(flag, report.texts(), Position{flag, line, 0, 1});
  Node root = converter.table(*parsed, Position{flag, line, 1, 1});
  Node* node = &root;
  while (!node->entries.empty() && node->entries.front().value.is_table()) node = &node->entries.front().value;
  node->entries.front().value = std::move(leaf);
  return root;
}

}  // namespace cdcrt::manifest
