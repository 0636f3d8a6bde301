#include "event/shape.hpp"

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::event {
namespace {

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

}  // namespace

uint32_t ShapeRegistry::intern(const cdcrt_shape& shape) {
  std::string bytes = fingerprint(shape);
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = ids_.find(bytes); found != ids_.end()) return found->second;
  }
  const std::unique_lock lock(mutex_);
  const auto [place, added] = ids_.try_emplace(std::move(bytes), static_cast<uint32_t>(shapes_.size()));
  if (!added) return place->second;
  Shape& copy = shapes_.emplace_back();
  copy.id = place->second;
  copy.declared = (shape.flags & CDCRT_SHAPE_DECLARED) != 0;
  copy.keyed = (shape.flags & CDCRT_SHAPE_KEYED) != 0;
  copy.key_in_one_partition = (shape.flags & CDCRT_SHAPE_KEY_IN_ONE_PARTITION) != 0;
  copy.key_elsewhere = !copy.keyed && (shape.flags & CDCRT_SHAPE_KEY_ELSEWHERE) != 0;
  copy.absent_is_null = (shape.flags & CDCRT_SHAPE_ABSENT_IS_NULL) != 0;
  copy.renamed = (shape.flags & CDCRT_SHAPE_RENAMED) != 0;
  copy.database = sdk::view(shape.database);
  copy.schema = sdk::view(shape.schema);
  copy.table = sdk::view(shape.table);
  copy.server = sdk::view(shape.server);
  for (uint32_t i = 0; i < shape.column_count; ++i) {
    const cdcrt_column& column = shape.columns[i];
    ShapeColumn& own = copy.columns.emplace_back();
    own.name = sdk::view(column.name);
    own.type = column.type;
    own.flags = column.flags;
    own.key_ordinal = column.key_ordinal;
    own.former_name = sdk::view(column.former_name);
    if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0) own.default_value = copy_cell(column.default_value, defaults_);
  }
  return copy.id;
}

const Shape* ShapeRegistry::find(uint32_t id) const {
  const std::shared_lock lock(mutex_);
  return id < shapes_.size() ? &shapes_[id] : nullptr;
}

const Shape& ShapeRegistry::get(uint32_t id) const {
  const std::shared_lock lock(mutex_);
  return shapes_[id];
}

}  // namespace cdcrt::event
