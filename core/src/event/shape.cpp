#include "event/shape.hpp"

#include <deque>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "cdcrt/sdk/hash.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::event {
namespace {

// An id is the place of its generation and its index there. UINT32_MAX, which is none, would be in the place after the last.
constexpr uint32_t kIndexBits = 20, kShapesOfPlace = 1U << kIndexBits, kPlaces = (1U << (32 - kIndexBits)) - 1;

// Of each table so many do not count: very many tables are no reason to begin anew, since all of them would be needed again.
constexpr uint32_t kFirstOfTable = 4;
// Unless tables come and go for ever, each under a name of its own.
constexpr std::size_t kMaximumOfAll = 128U << 20;

void append(std::string& out, const void* bytes, std::size_t size) { out.append(static_cast<const char*>(bytes), size); }

void append(std::string& out, cdcrt_string text) {
  const uint64_t size = text.data == nullptr ? UINT64_MAX : text.size;
  append(out, &size, sizeof size);
  if (text.data != nullptr) out.append(text.data, text.size);
}

// Two shapes are equal when these bytes are: every member that matters, each with its length.
std::string fingerprint(const cdcrt_shape& shape) {
  std::string out;
  append(out, &shape.flags, sizeof shape.flags);
  append(out, shape.database);
  append(out, shape.schema);
  append(out, shape.table);
  append(out, shape.server);
  for (uint32_t i = 0; i < shape.column_count; ++i) {
    const cdcrt_column& column = shape.columns[i];
    append(out, column.name);
    append(out, &column.type, sizeof column.type);
    append(out, &column.flags, sizeof column.flags);
    append(out, &column.key_ordinal, sizeof column.key_ordinal);
    append(out, column.former_name);
    if ((column.flags & CDCRT_COLUMN_DEFAULT) == 0) continue;
    const cdcrt_cell& cell = column.default_value;
    append(out, &cell.tag, sizeof cell.tag);
    if (has_bytes(cell)) {
      append(out, cdcrt_string{cell.value.data, cell.size});
    } else {
      append(out, &cell.value.integer, sizeof cell.value.integer);
    }
  }
  return out;
}

uint64_t hash_of_table(const Shape& shape) {
  uint64_t hash = sdk::kFnv1aStart;
  for (const std::string* part : {&shape.server, &shape.database, &shape.schema, &shape.table})
    hash = sdk::fnv1a(*part, sdk::fnv1a(hash, 0));
  return hash;
}

}  // namespace

class ShapeRegistry::Generation {
 public:
  Generation(uint64_t number, uint32_t place) : number_(number), place_(place) {}

  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] uint32_t place() const { return place_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool is_full() const {
    return bytes_ >= kMaximumOfAll || more_bytes_ >= kMaximumBytes || more_ >= kMaximumShapes || shapes_.size() >= kShapesOfPlace / 2;
  }
  [[nodiscard]] const Shape* at(uint32_t index) const { return index < shapes_.size() ? &shapes_[index] : nullptr; }
  /// UINT32_MAX: it is not there.
  [[nodiscard]] uint32_t find(const std::string& fingerprint) const {
    const auto found = ids_.find(fingerprint);
    return found == ids_.end() ? UINT32_MAX : found->second;
  }
  uint32_t add(std::string fingerprint, const cdcrt_shape& shape);

 private:
  const uint64_t number_;
  const uint32_t place_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::deque<Shape> shapes_;
  Arena defaults_{1 << 10};
  std::unordered_map<uint64_t, uint32_t> of_tables_;  ///< how many shapes tables have, by their names' hash
  std::size_t bytes_ = 0;
  std::size_t more_ = 0, more_bytes_ = 0;  ///< those beside the first few of each table
};

uint32_t ShapeRegistry::Generation::add(std::string fingerprint, const cdcrt_shape& shape) {
  if (shapes_.size() >= kShapesOfPlace) throw std::length_error("too many shapes in one go");
  const auto index = static_cast<uint32_t>(shapes_.size());
  Shape& copy = shapes_.emplace_back();
  copy.id = lasting_id(number_, index);
  copy.declared = (shape.flags & CDCRT_SHAPE_DECLARED) != 0;
  copy.keyed = (shape.flags & CDCRT_SHAPE_KEYED) != 0;
  copy.key_in_one_partition = (shape.flags & CDCRT_SHAPE_KEY_IN_ONE_PARTITION) != 0;
  copy.key_elsewhere = !copy.keyed && (shape.flags & CDCRT_SHAPE_KEY_ELSEWHERE) != 0;
  copy.key_for_others = copy.keyed && (shape.flags & CDCRT_SHAPE_KEY_ELSEWHERE) != 0;
  copy.absent_is_null = (shape.flags & CDCRT_SHAPE_ABSENT_IS_NULL) != 0;
  copy.renamed = (shape.flags & CDCRT_SHAPE_RENAMED) != 0;
  copy.database = sdk::view(shape.database);
  copy.schema = sdk::view(shape.schema);
  copy.table = sdk::view(shape.table);
  copy.server = sdk::view(shape.server);
  copy.columns.reserve(shape.column_count);
  for (uint32_t i = 0; i < shape.column_count; ++i) {
    const cdcrt_column& column = shape.columns[i];
    ShapeColumn& own = copy.columns.emplace_back();
    own.name = sdk::view(column.name);
    own.type = column.type;
    own.flags = column.flags;
    own.key_ordinal = column.key_ordinal;
    own.former_name = sdk::view(column.former_name);
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) {
      own.default_value = copy_cell(column.default_value, defaults_);
      if (has_bytes(column.default_value)) bytes_ += column.default_value.size;
    }
  }
  const std::size_t bytes = sizeof(Shape) + copy.columns.size() * sizeof(ShapeColumn) + 2 * fingerprint.size() + 128;
  bytes_ += bytes;
  if (++of_tables_[hash_of_table(copy)] > kFirstOfTable) {
    ++more_;
    more_bytes_ += bytes;
  }
  ids_.emplace(std::move(fingerprint), index);
  return index;
}

ShapeRegistry::ShapeRegistry() : places_(kPlaces) {}
ShapeRegistry::~ShapeRegistry() { current_.reset(); }

ShapeRegistry::Hold ShapeRegistry::hold() {
  Hold full;  // goes after the lock
  const std::unique_lock lock(mutex_);
  if (current_ && !current_->is_full()) return current_;
  auto place = static_cast<uint32_t>(count_ % kPlaces);
  while (places_[place] != nullptr) place = (place + 1) % kPlaces;
  full = std::move(current_);
  current_ = Hold(new Generation(count_++, place), [this](Generation* generation) {
    {
      const std::unique_lock gone(mutex_);
      places_[generation->place()] = nullptr;
    }
    delete generation;
  });
  places_[place] = current_.get();
  return current_;
}

uint64_t ShapeRegistry::number_of(const Hold& generation) { return generation ? generation->number() : UINT64_MAX; }

uint64_t ShapeRegistry::lasting_id(uint64_t generation, uint32_t id) { return generation << kIndexBits | (id & (kShapesOfPlace - 1)); }

uint32_t ShapeRegistry::intern(const cdcrt_shape& shape, const Hold& generation) {
  std::string bytes = fingerprint(shape);
  const uint32_t place = generation->place() << kIndexBits;
  {
    const std::shared_lock lock(mutex_);
    if (const uint32_t index = generation->find(bytes); index != UINT32_MAX) return place | index;
  }
  const std::unique_lock lock(mutex_);
  if (const uint32_t index = generation->find(bytes); index != UINT32_MAX) return place | index;
  return place | generation->add(std::move(bytes), shape);
}

const Shape* ShapeRegistry::find(uint32_t id) const {
  const std::shared_lock lock(mutex_);
  const uint32_t place = id >> kIndexBits;
  return place < kPlaces && places_[place] != nullptr ? places_[place]->at(id & (kShapesOfPlace - 1)) : nullptr;
}

const Shape& ShapeRegistry::get(uint32_t id) const { return *find(id); }

std::size_t ShapeRegistry::bytes() const {
  const std::shared_lock lock(mutex_);
  std::size_t bytes = 0;
  for (const Generation* generation : places_) bytes += generation != nullptr ? generation->bytes() : 0;
  return bytes;
}

}  // namespace cdcrt::event
