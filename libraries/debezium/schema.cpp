#include "debezium/schema.hpp"

#include "debezium/json_parse.hpp"

namespace cdcrt::debezium {

namespace {

constexpr int kMaximumDepth = 32;

/// Walks a tape; the first problem stays.
class Reader {
 public:
  Reader(const sdk::JsonTape& tape, std::string& problem) : tape_(tape), problem_(problem) {}

  bool read(uint32_t at, ConnectSchema& schema, int depth) {
    if (depth > kMaximumDepth) return refuse("the schema is nested deeper than " + std::to_string(kMaximumDepth) + " levels");
    if (tape_[at].kind != sdk::JsonKind::kObject) return refuse(std::string("a schema is ") + describe(tape_[at].kind) + ", not an object");
    uint32_t name = at + 1;
    for (uint32_t i = 0; i < tape_[at].size; ++i) {
      if (!member(tape_.text(name), name, schema, depth)) return false;
      name = tape_[name + 1].next;
    }
    if (schema.type.empty()) return refuse("a schema has no type" + (schema.field.empty() ? "" : " (field \"" + schema.field + "\")"));
    if (schema.type == "array" && !schema.items) return refuse("the schema of an array has no items");
    return true;
  }

 private:
  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool text(uint32_t at, std::string& out) {
    if (tape_[at].kind == sdk::JsonKind::kNull) return true;
    if (tape_[at].kind != sdk::JsonKind::kString)
      return refuse(std::string("a schema has ") + describe(tape_[at].kind) + " where a string belongs");
    out = std::string(tape_.text(at));
    return true;
  }
  bool member(std::string_view name, uint32_t name_index, ConnectSchema& schema, int depth) {
    const uint32_t at = name_index + 1;
    const sdk::JsonKind kind = tape_[at].kind;
    if (name == "type") return text(at, schema.type);
    if (name == "name") return text(at, schema.name);
    if (name == "field") return text(at, schema.field);
    if (name == "optional") {
      schema.optional = kind == sdk::JsonKind::kTrue;
    } else if (name == "default") {
      if (kind != sdk::JsonKind::kNull) schema.default_json = std::string(tape_.raw_value(name_index));
    } else if (name == "parameters" && kind == sdk::JsonKind::kObject) {
      uint32_t key = at + 1;
      for (uint32_t i = 0; i < tape_[at].size; ++i) {
        std::string value;
        if (!text(key + 1, value)) return false;
        schema.parameters.emplace_back(tape_.text(key), std::move(value));
        key = tape_[key + 1].next;
      }
    } else if (name == "fields" && kind == sdk::JsonKind::kArray) {
      uint32_t element = at + 1;
      for (uint32_t i = 0; i < tape_[at].size; ++i) {
        if (!read(element, schema.fields.emplace_back(), depth + 1)) return false;
        element = tape_[element].next;
      }
    } else if ((name == "items" || name == "values") && kind == sdk::JsonKind::kObject) {
      schema.items = std::make_unique<ConnectSchema>();
      return read(at, *schema.items, depth + 1);
    }
    return true;
  }
  const sdk::JsonTape& tape_;
  std::string& problem_;
};

}  // namespace

const std::string* ConnectSchema::parameter(std::string_view key) const {
  for (const auto& [name_of, value] : parameters) {
    if (name_of == key) return &value;
  }
  return nullptr;
}

const ConnectSchema* ConnectSchema::find(std::string_view field_name) const {
  for (const auto& candidate : fields) {
    if (candidate.field == field_name) return &candidate;
  }
  return nullptr;
}

std::optional<ConnectSchema> parse_schema(std::string_view json, std::string& problem) {
  sdk::JsonTape tape;
  if (!debezium::parse_json(json, tape)) {
    problem = tape.error().what + " (byte " + std::to_string(tape.error().offset) + " of the schema)";
    return std::nullopt;
  }
  ConnectSchema schema;
  if (!Reader(tape, problem).read(0, schema, 0)) return std::nullopt;
  return schema;
}

}  // namespace cdcrt::debezium
