// Events that a transform or a producer damaged: read with the same row, or refused; never a row of before, after, source and op.
#include <doctest/doctest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <random>
#include <set>

#include "decoded.hpp"
#include "paths.hpp"

using namespace cdcrt::test;

namespace {

using Json = rapidjson::Document;
using Node = rapidjson::Value;

std::string text_of(const Node& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

std::string rewritten(const std::string& value) {
  Json json;
  json.Parse<rapidjson::kParseFullPrecisionFlag>(value.c_str());
  return text_of(json);
}

/// Changes one event at random places; the same seed makes the same changes.
class Damage {
 public:
  explicit Damage(uint32_t seed) : random_(seed) {}

  /// What was done; `value` is what became of the event.
  std::string apply(std::string& value) {
    json_ = Json();
    json_.Parse<rapidjson::kParseFullPrecisionFlag>(value.c_str());
    done_.clear();
    const bool schemas = json_.HasMember("schema") && json_.HasMember("payload");
    const bool wrapped = pick(6) == 0;
    for (int changes = pick(4) == 0 && !wrapped ? 2 : 1; changes > 0; --changes) {
      const int kind = pick(schemas ? 7 : 4);
      if (kind <= 2) change_member(schemas ? payload() : json_);
      if (kind == 3) change_source(schemas ? payload() : json_);
      if (kind == 4) change_member(json_);
      if (kind >= 5) change_schema();
    }
    if (wrapped) wrap();
    value = text_of(json_);
    return done_;
  }

 private:
  int pick(std::size_t count) { return static_cast<int>(random_() % count); }
  Node& payload() { return json_.HasMember("payload") ? json_["payload"] : json_; }
  Node text(const std::string& value) { return Node(value.c_str(), json_.GetAllocator()); }

  Node replacement() {
    static constexpr std::array kTexts{"null",  "true", "0",  "1.5",       "\"\"",         "\"x\"",
                                       "\"c\"", "{}",   "[]", "{\"x\":1}", "[{\"id\":1}]", "\"{}\""};
    Json made(&json_.GetAllocator());
    made.Parse(kTexts[static_cast<std::size_t>(pick(kTexts.size()))]);
    return Node(made, json_.GetAllocator());
  }

  void change_member(Node& object) {
    if (!object.IsObject() || object.MemberCount() == 0) return;
    auto member = object.MemberBegin() + pick(object.MemberCount());
    const std::string name = member->name.GetString();
    switch (pick(6)) {
      case 0:
        done_ += "removes " + name + "; ";
        object.RemoveMember(member);
        break;
      case 1: {
        static constexpr std::array kNames{"Op", "operation", "src", "new", "old", "value", "row", "AFTER", "before_", "data", "__op"};
        const std::string other = kNames[static_cast<std::size_t>(pick(kNames.size()))];
        done_ += "renames " + name + " to " + other + "; ";
        member->name = text(other);
        break;
      }
      case 2:
        done_ += "doubles " + name + "; ";
        object.AddMember(text(name), Node(member->value, json_.GetAllocator()), json_.GetAllocator());
        break;
      case 3:
        done_ += "adds a member; ";
        object.AddMember(text("extra"), replacement(), json_.GetAllocator());
        break;
      case 4:
        done_ += "makes a text of " + name + "; ";
        member->value = text(text_of(member->value));
        break;
      default: done_ += "replaces " + name + "; "; member->value = replacement();
    }
  }

  void change_source(Node& envelope) {
    if (envelope.IsObject() && envelope.HasMember("source")) change_member(envelope["source"]);
  }

  void wrap() {
    static constexpr std::array kNames{"payload", "data", "value", "event", "after", "message"};
    const std::string name = kNames[static_cast<std::size_t>(pick(kNames.size()))];
    done_ += "wraps in " + name + "; ";
    Node inner;
    inner.Swap(json_);
    json_.SetObject();
    if (pick(3) == 0) json_.AddMember("id", 1, json_.GetAllocator());
    json_.AddMember(text(name), inner, json_.GetAllocator());
  }

  void change_schema() {
    if (!json_.HasMember("schema") || !json_["schema"].IsObject()) return;
    Node& schema = json_["schema"];
    if (pick(3) == 0 || !schema.HasMember("fields") || !schema["fields"].IsArray() || schema["fields"].Empty()) {
      done_ += "in the schema: ";
      change_member(schema);
      return;
    }
    Node& fields = schema["fields"];
    auto* field = fields.Begin() + pick(fields.Size());
    const std::string name =
        field->IsObject() && field->HasMember("field") && (*field)["field"].IsString() ? (*field)["field"].GetString() : "?";
    done_ += "in the schema of " + name + ": ";
    if (pick(2) == 0) {
      done_ += "removes it; ";
      fields.Erase(field);
      // As a transform does it: from both.
      if (pick(2) == 0 && payload().IsObject()) payload().RemoveMember(name.c_str());
    } else {
      change_member(*field);
    }
  }

  std::mt19937 random_;
  Json json_;
  std::string done_;
};

/// Nothing of the event is left, or a text that is a row's value like any other.
bool takes_the_event_away(const std::string& done) {
  for (const char* words : {"replaces payload", "removes payload", "makes a text of payload", "renames payload", "replaces before"}) {
    if (done.find(words) != std::string::npos) return true;
  }
  return false;
}

/// Columns that only an envelope taken for a row would have.
bool is_raw(const TestRow& row, const std::set<std::string>& columns) {
  for (const auto& name : row.names) {
    if (columns.count(name) == 0) return true;
  }
  return false;
}

/// What became of each message: its row or why there is none.
std::vector<std::string> outcomes_of(const std::vector<TestMessage>& messages, const std::string& topic, std::size_t batch) {
  const Decoded decoded = decode(messages, topic, {{"tombstones", "ignore"}}, batch);
  std::vector<std::string> outcomes(messages.size());
  for (const auto& row : decoded.rows) {
    std::string& outcome = outcomes[row.message];
    outcome += row.operation + " " + row.table;
    for (const auto& [name, cell] : row.cells) outcome += " " + name + "=" + cell;
  }
  for (const auto& reject : decoded.rejects) outcomes[reject.message] += reject.text;
  return outcomes;
}

const std::vector<Options> kOptions{{},
                                    {{"tombstones", "ignore"}},
                                    {{"tombstones", "ignore"}, {"table_from_topic", "true"}},
                                    {{"tombstones", "ignore"}, {"keys", "ignore"}}};

}  // namespace

TEST_CASE("damaged events: read with the same row or refused, never taken for rows themselves") {
  for (const std::string file : {"/debezium-postgres/events.jsonl.gz", "/debezium-postgres-noschema/events.jsonl"}) {
    uint32_t seed = 0;
    std::map<std::string, int> outcomes;
    for (const auto& [topic, events] : read_events(paths::test_data() + file)) {
      const Decoded whole = decode(events, topic);
      std::map<uint32_t, const TestRow*> rows;
      std::map<std::string, std::set<std::string>> columns;
      for (const auto& row : whole.rows) {
        rows[row.message] = &row;
        columns[row.table].insert(row.names.begin(), row.names.end());
        columns[row.table].insert("x");  // of a row that stands for another
      }
      for (std::size_t at = 0; at < events.size(); at += 1 + events.size() / 60) {
        const TestRow* expected = rows.count(static_cast<uint32_t>(at)) != 0 ? rows.at(static_cast<uint32_t>(at)) : nullptr;
        if (expected == nullptr || expected->operation == "MARKER" || !events[at].value) continue;
        // Writing it anew changes how numbers look.
        const Decoded undamaged = decode({{events[at].key, rewritten(*events[at].value), events[at].headers}}, topic);
        REQUIRE(undamaged.rows.size() == 1);
        const auto& cells = undamaged.rows[0].cells;
        for (int time = 0; time < 12; ++time) {
          TestMessage message = events[at];
          const std::string done = Damage(++seed).apply(*message.value);
          // A truncate is so little that nothing of it is left after two.
          if (expected->operation == "TRUNCATE" && done.find("; ") + 2 != done.size()) continue;
          if (done.empty() || takes_the_event_away(done)) continue;
          for (const Options& options : kOptions) {
            const Decoded decoded = decode({message}, topic, options);
            CAPTURE(seed);
            CAPTURE(done);
            CAPTURE(*message.value);
            REQUIRE(decoded.rows.size() + decoded.rejects.size() == 1);
            ++outcomes[decoded.rows.empty() ? "refused" : decoded.rows[0].operation];
            if (decoded.rows.empty()) {
              CHECK(decoded.rejects[0].hint.find("flattened") == std::string::npos);
              continue;
            }
            const TestRow& row = decoded.rows[0];
            CHECK(row.operation != "MARKER");
            CHECK_FALSE(is_raw(row, columns[expected->table]));
            if (row.operation == expected->operation && row.cells.size() == cells.size() && done.find("schema") == std::string::npos) {
              CHECK(row.cells == cells);
            }
          }
        }
      }
    }
    CHECK(outcomes["refused"] > 1000);
    CHECK(outcomes["INSERT"] > 100);
  }
}

TEST_CASE("damaged events: what becomes of one does not depend on those beside it") {
  for (const std::string file : {"/debezium-postgres/events.jsonl.gz", "/debezium-postgres-noschema/events.jsonl"}) {
    uint32_t seed = 1'000'000;
    for (const auto& [topic, events] : read_events(paths::test_data() + file)) {
      std::vector<TestMessage> messages;
      std::vector<std::string> alone;
      for (std::size_t at = 0; at < events.size(); at += 1 + events.size() / 40) {
        if (!events[at].value) continue;
        for (int time = 0; time < 3; ++time) {
          TestMessage message = events[at];
          if (time != 0) Damage(++seed).apply(*message.value);
          alone.push_back(outcomes_of({message}, topic, 0)[0]);
          messages.push_back(std::move(message));
        }
      }
      for (const std::size_t batch : {std::size_t{0}, std::size_t{5}}) {
        const auto together = outcomes_of(messages, topic, batch);
        for (std::size_t i = 0; i < messages.size(); ++i) {
          CAPTURE(*messages[i].value);
          CHECK(together[i] == alone[i]);
        }
      }
    }
  }
}
