#include "route/target_template.hpp"

#include <charconv>

#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::route {
namespace {

using diagnostics::quote;

constexpr std::size_t kMaxCaptures = 99;

Error bad(std::string message, std::string hint) { return make_error(CDCRT_BAD_CONFIG, std::move(message), std::move(hint)); }

}  // namespace

Result<TargetTemplate> TargetTemplate::parse(std::string_view text) {
  TargetTemplate result;
  result.text_ = std::string(text);
  result.parts_.emplace_back();
  const auto add_character = [&](char letter) {
    auto& pieces = result.parts_.back();
    if (pieces.empty() || pieces.back().kind != Kind::kText) pieces.push_back({});
    pieces.back().text += letter;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if ((letter == '{' || letter == '}') && i + 1 < text.size() && text[i + 1] == letter) {
      add_character(letter);
      ++i;
    } else if (letter == '.') {
      result.parts_.emplace_back();
    } else if (letter == '}') {
      return bad("'}' without '{' in " + quote(text), "write }} for a plain }");
    } else if (letter == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos) return bad("'{' without '}' in " + quote(text), "write {{ for a plain {");
      const std::string_view name = text.substr(i + 1, end - i - 1);
      Piece piece;
      if (name == "source") {
        piece.kind = Kind::kSource;
      } else if (name == "topic") {
        piece.kind = Kind::kTopic;
      } else if (name == "database") {
        piece.kind = Kind::kDatabase;
      } else if (name == "schema") {
        piece.kind = Kind::kSchema;
      } else if (name == "table") {
        piece.kind = Kind::kTable;
      } else {
        const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), piece.capture);
        if (error != std::errc() || stop != name.data() + name.size() || piece.capture == 0 || piece.capture > kMaxCaptures) {
          return bad("unknown placeholder " + quote("{" + std::string(name) + "}") + " in " + quote(text),
                     diagnostics::did_you_mean(name, {"source", "topic", "database", "schema", "table", "1"}));
        }
        piece.kind = Kind::kCapture;
        result.highest_capture_ = std::max(result.highest_capture_, piece.capture);
      }
      result.parts_.back().push_back(std::move(piece));
      i = end;
    } else {
      add_character(letter);
    }
  }
  if (result.parts_.size() > 2) return bad(quote(text) + " has more than two parts", "write \"table\" or \"schema.table\"");
  for (const auto& part : result.parts_) {
    if (part.empty()) return bad(quote(text) + " has an empty part", "write \"table\" or \"schema.table\"");
  }
  return result;
}

bool TargetTemplate::is_constant() const {
  for (const auto& part : parts_) {
    for (const auto& piece : part) {
      if (piece.kind != Kind::kText) return false;
    }
  }
  return true;
}

Result<TargetTable> TargetTemplate::expand(const SourceTable& table, const std::vector<std::string>& captures) const {
  std::vector<std::string> names;
  for (const auto& part : parts_) {
    std::string& name = names.emplace_back();
    for (const auto& piece : part) {
      switch (piece.kind) {
        case Kind::kText: name += piece.text; break;
        case Kind::kSource: name += table.source; break;
        case Kind::kTopic: name += table.topic; break;
        case Kind::kDatabase: name += table.database; break;
        case Kind::kSchema: name += table.schema; break;
        case Kind::kTable: name += table.table; break;
        case Kind::kCapture:
          if (piece.capture > captures.size()) {
            return bad("template " + quote(text_) + " uses {" + std::to_string(piece.capture) + "}, and the pattern that matched " +
                           quote(dotted(table)) + " captures " + std::to_string(captures.size()),
                       "{1} is the first * or group of the pattern");
          }
          name += captures[piece.capture - 1];
          break;
      }
    }
    if (name.empty()) {
      return bad("template " + quote(text_) + " gives an empty name for " + quote(dotted(table)),
                 "its placeholders are empty for this table: {database} and {schema} only hold what the source has");
    }
  }
  TargetTable result;
  result.table = std::move(names.back());
  if (names.size() == 2) result.schema = std::move(names.front());
  return result;
}

}  // namespace cdcrt::route
