#include "debezium/ddl_renames.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace cdcrt::debezium {
namespace {

enum class TokenKind { kWord, kQuoted, kText, kMark };

struct Token {
  TokenKind kind;
  std::string text;  ///< without quotes
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_names(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$' || c == '#' || static_cast<unsigned char>(c) >= 0x80;
}

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  /// nullopt: something does not end.
  std::optional<std::vector<Token>> all() {
    std::vector<Token> tokens;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_space(c)) {
        ++at_;
      } else if (starts("/*")) {
        if (!skip_comment()) return std::nullopt;
      } else if (in_versioned_ && starts("*/")) {
        in_versioned_ = false;
        at_ += 2;
      } else if (c == '#' || (starts("--") && (at_ + 2 == text_.size() || is_space(text_[at_ + 2])))) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '`' || c == '"' || c == '\'') {
        auto token = quoted(c);
        if (!token) return std::nullopt;
        tokens.push_back(std::move(*token));
      } else if (is_word(c)) {
        const std::size_t first = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        tokens.push_back({TokenKind::kWord, std::string(text_.substr(first, at_ - first))});
      } else {
        tokens.push_back({TokenKind::kMark, std::string(1, c)});
        ++at_;
      }
    }
    if (in_versioned_) return std::nullopt;
    return tokens;
  }

 private:
  [[nodiscard]] bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  // What stands in /*! */ and /*M! */ is a part of the statement.
  bool skip_comment() {
    const bool mariadb = starts("/*M!");
    if (!in_versioned_ && (mariadb || starts("/*!"))) {
      in_versioned_ = true;
      at_ += mariadb ? 4 : 3;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return true;
    }
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return false;
    at_ = end + 2;
    return true;
  }

  std::optional<Token> quoted(char quote) {
    Token token{quote == '\'' ? TokenKind::kText : TokenKind::kQuoted, {}};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && quote != '`' && at_ + 1 < text_.size()) {
        // In a name it would stand for itself, in a text not: a name with one is not read.
        token.kind = TokenKind::kText;
        ++at_;
      } else if (text_[at_] == quote) {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != quote) {
          ++at_;
          return token;
        }
        ++at_;
      }
      token.text += text_[at_];
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_versioned_ = false;
};

/// One ALTER TABLE.
class Statement {
 public:
  Statement(const std::vector<Token>& tokens, std::size_t first, std::size_t end) : tokens_(tokens), at_(first), end_(end) {}

  /// False: it is another statement, or of another table.
  bool is_change_of(std::string_view table) {
    if (!take("alter")) return false;
    while (take("online") || take("ignore")) {
    }
    if (!take("table")) return false;
    if (take("if") && !take("exists")) return false;
    std::string name;
    if (!take_name(name)) return false;
    while (take_mark('.')) {
      if (!take_name(name)) return false;
    }
    if (!equal_names(name, table)) return false;
    if (take("wait")) ++at_;
    take("nowait");
    return true;
  }

  /// False: a clause cannot be read.
  bool read_clauses(std::vector<ColumnRename>& renames) {
    while (at_ < end_) {
      std::optional<ColumnRename> rename;
      if (!read_clause(rename) || !skip_clause()) return false;
      if (rename && rename->former != rename->name) renames.push_back(std::move(*rename));
    }
    return true;
  }

 private:
  bool take(std::string_view word) {
    if (at_ >= end_ || tokens_[at_].kind != TokenKind::kWord || !equal_names(tokens_[at_].text, word)) return false;
    ++at_;
    return true;
  }
  bool take_mark(char mark) {
    if (at_ >= end_ || tokens_[at_].kind != TokenKind::kMark || tokens_[at_].text[0] != mark) return false;
    ++at_;
    return true;
  }
  bool take_name(std::string& name) {
    if (at_ >= end_ || (tokens_[at_].kind != TokenKind::kWord && tokens_[at_].kind != TokenKind::kQuoted) || tokens_[at_].text.empty())
      return false;
    name = tokens_[at_++].text;
    return true;
  }
  bool take_if_exists() { return !take("if") || take("exists"); }

  bool read_clause(std::optional<ColumnRename>& rename) {
    ColumnRename read;
    if (take("change")) {
      take("column");
      if (!take_if_exists() || !take_name(read.former) || !take_name(read.name)) return false;
      rename = std::move(read);
    } else if (take("rename")) {
      if (!take("column")) return true;  // the table, an index
      if (!take_if_exists() || !take_name(read.former) || !take("to") || !take_name(read.name)) return false;
      // Nothing else belongs to it.
      if (at_ < end_ && !(tokens_[at_].kind == TokenKind::kMark && tokens_[at_].text[0] == ',')) return false;
      rename = std::move(read);
    }
    return true;
  }

  // Up to after the next comma that is in no parentheses.
  bool skip_clause() {
    int depth = 0;
    for (; at_ < end_; ++at_) {
      if (tokens_[at_].kind != TokenKind::kMark) continue;
      const char mark = tokens_[at_].text[0];
      if (mark == '(') ++depth;
      if (mark == ')' && --depth < 0) return false;
      if (mark != ',' || depth > 0) continue;
      ++at_;
      return true;
    }
    return depth == 0;
  }

  const std::vector<Token>& tokens_;
  std::size_t at_, end_;
};

// Two columns of one name, or one column renamed twice, are no statement of any server.
bool is_possible(const std::vector<ColumnRename>& renames) {
  for (std::size_t i = 0; i < renames.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (equal_names(renames[i].former, renames[j].former) || equal_names(renames[i].name, renames[j].name)) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<ColumnRename> renames_of(std::string_view ddl, std::string_view table) {
  const auto tokens = Tokens(ddl).all();
  if (!tokens) return {};
  std::vector<ColumnRename> renames;
  for (std::size_t first = 0; first < tokens->size();) {
    std::size_t end = first;
    while (end < tokens->size() && !((*tokens)[end].kind == TokenKind::kMark && (*tokens)[end].text[0] == ';')) ++end;
    Statement statement(*tokens, first, end);
    if (statement.is_change_of(table)) {
      // One after the other, they would build on each other.
      if (!renames.empty() || !statement.read_clauses(renames)) return {};
    }
    first = end + 1;
  }
  return is_possible(renames) ? renames : std::vector<ColumnRename>();
}

std::vector<std::string> former_names(std::string_view ddl, std::string_view table, const std::vector<std::string_view>& names) {
  std::vector<std::string> formers(names.size());
  for (ColumnRename& rename : renames_of(ddl, table)) {
    const auto named = std::find_if(names.begin(), names.end(), [&](std::string_view name) { return equal_names(name, rename.name); });
    if (named == names.end()) return std::vector<std::string>(names.size());
    formers[static_cast<std::size_t>(named - names.begin())] = std::move(rename.former);
  }
  return formers;
}

}  // namespace cdcrt::debezium
