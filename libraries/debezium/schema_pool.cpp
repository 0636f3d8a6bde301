#include "debezium/schema_pool.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace cdcrt::debezium {
namespace {

/// Of one decoder. More than that are schemas of very many tables.
constexpr std::size_t kMostWholeBytes = 4 << 20;
/// A shorter piece costs less than a reference to it.
constexpr std::size_t kLeastShared = 128;

std::size_t column_bytes(const Column& column) {
  std::size_t bytes = sizeof(Column) + text_bytes(column.name) + text_bytes(column.default_text);
  for (const Column& inner : column.inner) bytes += column_bytes(inner);
  return bytes;
}

/// Where pieces begin that other schemas may have as well: as JsonConverter writes them, columns stand between these two, and the name of
/// the table behind the second. Each is looked for once, however many there are.
class Cuts {
 public:
  explicit Cuts(std::string_view text) : text_(text) {}
  std::size_t next(std::size_t from) {
    for (Mark& mark : marks_) {
      if (mark.at < from) mark.at = std::min(text_.find(mark.text, from), text_.size());
    }
    return std::min(marks_[0].at, marks_[1].at);
  }

 private:
  struct Mark {
    std::string_view text;
    std::size_t at = 0;
  };
  std::string_view text_;
  Mark marks_[2] = {{R"({"type":"struct")"}, {R"(],"optional")"}};
};

/// Of what layouts of the same names may differ in as well, so that a table of ten thousand is not compared with all others.
uint64_t hash_of(const Layout& layout) {
  uint64_t hash = layout.members.size();
  const auto mix = [&](uint64_t value) { hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL; };
  const auto mix_text = [&](std::string_view text) { mix(std::hash<std::string_view>()(text)); };
  for (const Member& member : layout.members) mix_text(member.name);
  for (const Column& column : layout.columns) {
    mix(static_cast<uint64_t>(column.conversion) << 1 | static_cast<uint64_t>(column.optional));
    mix(uint64_t{column.type.kind} << 48 | uint64_t{static_cast<uint16_t>(column.type.scale)} << 32 | column.type.length);
    mix_text(column.default_text);
    mix(has_bytes(column.default_cell) ? 0 : column.default_cell.value.natural);
  }
  return hash;
}

}  // namespace

std::size_t layout_bytes(const Layout& layout) {
  std::size_t bytes = sizeof(Layout) + kPlaceBytes;
  for (const Member& member : layout.members) bytes += sizeof(Member) + text_bytes(member.name);
  for (const Column& column : layout.columns) bytes += column_bytes(column);
  return bytes;
}

std::string_view SchemaText::Part::text(const std::string& own, std::size_t& next) const {
  if (shared != nullptr) return *shared;
  const std::string_view text = std::string_view(own).substr(next, own_size);
  next += own_size;
  return text;
}

std::size_t SchemaText::alike(std::string_view other) const {
  const auto alike_with = [](std::string_view a, std::string_view b) {
    const std::size_t most = std::min(a.size(), b.size());
    if (a.substr(0, most) == b.substr(0, most)) return most;
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  };
  if (parts_.empty()) return alike_with(own_, other);
  std::size_t position = 0, next = 0;
  for (const Part& part : parts_) {
    const std::string_view text = part.text(own_, next);
    const std::size_t equal = alike_with(text, other.substr(position));
    position += equal;
    if (equal < text.size()) break;
  }
  return position;
}

char SchemaText::at(std::size_t position) const {
  std::size_t next = 0;
  for (const Part& part : parts_) {
    const std::string_view text = part.text(own_, next);
    if (position < text.size()) return text[position];
    position -= text.size();
  }
  return own_[position];
}

SchemaText SchemaPool::keep(std::string_view text) {
  SchemaText kept;
  kept.size_ = text.size();
  if (whole_bytes_ + text.size() <= kMostWholeBytes) {
    whole_bytes_ += text.size();
    kept.own_ = std::string(text);
    return kept;
  }
  Cuts cuts(text);
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t cut = cuts.next(from + 1);
    const std::string_view piece = text.substr(from, cut - from);
    from = cut;
    if (piece.size() >= kLeastShared) {
      kept.parts_.push_back({share_piece(piece)});
      continue;
    }
    if (kept.parts_.empty() || kept.parts_.back().shared != nullptr) kept.parts_.emplace_back();
    kept.parts_.back().own_size += static_cast<uint32_t>(piece.size());
    kept.own_ += piece;
  }
  kept.own_.shrink_to_fit();
  kept.parts_.shrink_to_fit();
  return kept;
}

std::shared_ptr<const std::string> SchemaPool::share_piece(std::string_view piece) {
  if (const auto known = pieces_.find(piece); known != pieces_.end()) return known->second;
  auto made = std::make_shared<const std::string>(piece);
  bytes_ += sizeof(std::string) + kPlaceBytes + made->size();
  pieces_.emplace(*made, made);
  return made;
}

std::shared_ptr<const Layout> SchemaPool::share(std::unique_ptr<Layout> layout) {
  const uint64_t hash = hash_of(*layout);
  for (auto [place, end] = layouts_.equal_range(hash); place != end; ++place) {
    if (equal(*place->second, *layout)) return place->second;
  }
  bytes_ += kPlaceBytes + layout_bytes(*layout);
  return layouts_.emplace(hash, std::move(layout))->second;
}

void SchemaPool::trim() {
  std::erase_if(pieces_, [](const auto& place) { return place.second.use_count() == 1; });
  std::erase_if(layouts_, [](const auto& place) { return place.second.use_count() == 1; });
  bytes_ = 0;
  for (const auto& [text, piece] : pieces_) bytes_ += sizeof(std::string) + kPlaceBytes + text.size();
  for (const auto& [hash, layout] : layouts_) bytes_ += kPlaceBytes + layout_bytes(*layout);
}

}  // namespace cdcrt::debezium
