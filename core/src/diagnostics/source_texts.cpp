#include "diagnostics/source_texts.hpp"

#include <algorithm>
#include <array>

#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"

namespace cdcrt::diagnostics {
namespace {

constexpr std::string_view kCover = "***";

std::string_view line_of(const std::string& text, const std::vector<std::size_t>& starts, uint32_t line) {
  if (line == 0 || line > starts.size()) return {};
  const std::size_t begin = starts[line - 1];
  std::size_t end = line < starts.size() ? starts[line] - 1 : text.size();
  if (end > begin && text[end - 1] == '\r') --end;
  return std::string_view(text).substr(begin, end - begin);
}

bool is_key_character(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_' ||
         letter == '-' || letter == '.' || letter == ' ' || letter == '"' || letter == '\'';
}

/// End of the value that begins at `begin`: behind its closing quote, before a comma, brace or comment, else the line's end.
std::size_t end_of_value(std::string_view line, std::size_t begin) {
  if (begin < line.size() && (line[begin] == '"' || line[begin] == '\'')) {
    const char quote = line[begin];
    for (std::size_t i = begin + 1; i < line.size(); ++i) {
      if (line[i] == '\\' && quote == '"') {
        ++i;
      } else if (line[i] == quote) {
        // Three quotes open a text of several lines: then nothing of this line is safe.
        return i == begin + 1 && i + 1 < line.size() && line[i + 1] == quote ? line.size() : i + 1;
      }
    }
    return line.size();
  }
  return line.size();
}

/// Places, as offsets, of values whose key names a secret, found without a parser: the text may not even be TOML.
std::vector<std::pair<std::size_t, std::size_t>> secrets_by_key(std::string_view line) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t equals = line.find('='); equals != std::string_view::npos; equals = line.find('=', equals + 1)) {
    std::size_t begin = equals;
    while (begin > 0 && is_key_character(line[begin - 1])) --begin;
    if (!names_a_secret(line.substr(begin, equals - begin))) continue;
    std::size_t value = equals + 1;
    while (value < line.size() && (line[value] == ' ' || line[value] == '\t')) ++value;
    const std::size_t end = end_of_value(line, value);
    if (end > value) found.emplace_back(value, end);
    if (end >= line.size()) break;
    equals = std::max(equals, end - 1);
  }
  return found;
}

/// A word that somebody meant for one of those that name secrets: letters swapped, left out or doubled.
bool is_misspelt_secret(std::string_view word) {
  static constexpr auto kWords =
      std::to_array<std::string_view>({"password", "passphrase", "passwort", "passwd", "secret", "token", "credential", "credentials"});
  return word.size() >= 4 && std::any_of(kWords.begin(), kWords.end(), [&](std::string_view meant) {
           return edit_distance(word, meant) <= (meant.size() > 6 ? 2U : 1U);
         });
}

}  // namespace

bool names_a_secret(std::string_view key) {
  std::string plain;
  for (char letter : key) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter != '_' && letter != '-' && letter != ' ' && letter != '.' && letter != '"' && letter != '\'') plain += letter;
  }
  static constexpr auto kParts =
      std::to_array<std::string_view>({"pwd", "passw", "passphrase", "secret", "token", "credential", "apikey", "privatekey", "accesskey",
                                       "saslpassword", "keypem", "oauthbearer", "jaas", "authorization"});
  const auto is_end = [](char letter) {
    return letter == '_' || letter == '-' || letter == ' ' || letter == '.' || letter == '"' || letter == '\'';
  };
  for (std::size_t begin = 0, end = 0; begin < key.size(); begin = end + 1) {
    end = begin;
    while (end < key.size() && !is_end(key[end])) ++end;
    if (is_misspelt_secret(key.substr(begin, end - begin))) return true;
  }
  return plain == "pass" || plain == "pw" ||
         std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) { return plain.find(part) != std::string::npos; });
}

void SourceTexts::add(const std::string& file, std::string text) {
  if (files_.contains(file)) return;
  File entry;
  entry.order = files_.size();
  entry.text = std::move(text);
  entry.starts.push_back(0);
  for (std::size_t i = 0; i < entry.text.size(); ++i) {
    if (entry.text[i] == '\n') entry.starts.push_back(i + 1);
  }
  files_.emplace(file, std::move(entry));
}

std::size_t SourceTexts::order(const std::string& file) const {
  const auto found = files_.find(file);
  return found == files_.end() ? files_.size() : found->second.order;
}

void SourceTexts::mask(const Position& value) {
  const auto found = files_.find(value.file);
  if (found == files_.end() || value.line == 0) return;
  File& file = found->second;
  // A value of several lines has no length of its own: its region is covered line by line, see the caller's `length`.
  uint32_t left = value.length;
  uint32_t column = value.column;
  for (uint32_t line = value.line; line <= file.starts.size() && left > 0; ++line, column = 1) {
    const auto characters = static_cast<uint32_t>(count_characters(line_of(file.text, file.starts, line)));
    const uint32_t here = column > characters ? 0 : std::min(left, characters - column + 1);
    if (here > 0) file.masks.push_back({line, column, here});
    left -= std::min(left, here + 1);  // the line's end counts as one character
  }
}

std::string_view SourceTexts::raw_line(const std::string& file, uint32_t line) const {
  const auto found = files_.find(file);
  return found == files_.end() ? std::string_view() : line_of(found->second.text, found->second.starts, line);
}

std::optional<SourceTexts::Line> SourceTexts::line(const Position& position) const {
  const auto found = files_.find(position.file);
  if (found == files_.end() || position.line == 0 || position.line > found->second.starts.size()) return std::nullopt;
  const std::string_view text = line_of(found->second.text, found->second.starts, position.line);
  std::vector<std::size_t> offsets;  // of each character, and the end
  for (std::size_t offset = 0; offset < text.size(); offset += character_at(text, offset).bytes) offsets.push_back(offset);
  offsets.push_back(text.size());
  std::vector<bool> covered(offsets.size(), false);
  for (const Span& span : found->second.masks) {
    if (span.line != position.line) continue;
    for (std::size_t i = span.column - 1; i < span.column - 1 + span.length && i + 1 < offsets.size(); ++i) covered[i] = true;
  }
  auto secrets = secrets_by_key(text);
  const auto in_addresses = find_userinfo(text, Addresses::kAny);
  secrets.insert(secrets.end(), in_addresses.begin(), in_addresses.end());
  for (const auto& [begin, end] : secrets) {
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      if (offsets[i] >= begin && offsets[i] < end) covered[i] = true;
    }
  }
  Line line;
  const std::size_t first = std::min<std::size_t>(position.column == 0 ? 0 : position.column - 1, offsets.size() - 1);
  const std::size_t last = std::min<std::size_t>(first + std::max<uint32_t>(position.length, 1), offsets.size());
  uint32_t shown = 0;  // characters written
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const uint32_t before = shown;
    if (i + 1 < offsets.size()) {
      if (!covered[i]) {
        line.text += text.substr(offsets[i], offsets[i + 1] - offsets[i]);
        ++shown;
      } else if (i == 0 || !covered[i - 1]) {
        line.text += kCover;
        shown += static_cast<uint32_t>(kCover.size());
      }
    }
    if (i == first) line.column = covered[i] && i > 0 && covered[i - 1] ? before - static_cast<uint32_t>(kCover.size()) + 1 : before + 1;
    if (i + 1 == last) line.length = (i + 1 < offsets.size() ? shown : before + 1) - line.column + 1;
  }
  return line;
}

}  // namespace cdcrt::diagnostics
