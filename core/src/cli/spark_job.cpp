#include "cli/spark_job.hpp"

#include <algorithm>
#include <array>

#include "cdcrt/sdk/utf8.hpp"
#include "cli/json_objects.hpp"
#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::quote;

constexpr std::string_view kTables = "sync_table_list";

/// Every option that the job reads, as its programs for Glue, EMR Serverless and EMR on EC2 do.
const std::vector<std::string>& option_names() {
  static const std::vector<std::string> names{
      "aws_region",        "batch_timeout",      "cdc_format",        "checkpoint_interval",     "checkpoint_location",
      "consumer_group",    "disable_msg",        "kafka_broker",      "max_offsets_per_trigger", "maxerror",
      "redshift_database", "redshift_host",      "redshift_iam_role", "redshift_password",       "redshift_port",
      "redshift_schema",   "redshift_secret_id", "redshift_tmpdir",   "redshift_username",       "s3_endpoint",
      "startingOffsets",   "sync_table_list",    "tempformat",        "thread_max_workers",      "topic"};
  return names;
}

struct TableKey {
  const char* name;
  PlacedText SparkJobTable::*member;
  bool is_flag;
};
constexpr auto kTableKeys = std::to_array<TableKey>({{"db", &SparkJobTable::database, false},
                                                     {"table", &SparkJobTable::table, false},
                                                     {"primary_key", &SparkJobTable::primary_key, false},
                                                     {"target_table", &SparkJobTable::target_table, false},
                                                     {"super_columns", &SparkJobTable::super_columns, false},
                                                     {"timestamp_columns", &SparkJobTable::timestamp_columns, false},
                                                     {"date_columns", &SparkJobTable::date_columns, false},
                                                     {"ignore_ddl", &SparkJobTable::ignore_ddl, true},
                                                     {"save_delete", &SparkJobTable::save_delete, true},
                                                     {"only_save_delete", &SparkJobTable::only_save_delete, true},
                                                     {"skip_delete", &SparkJobTable::skip_delete, true}});

class TableListReader {
 public:
  TableListReader(Findings& file, const Property& list) : file_(file), list_(list) {}

  std::vector<SparkJobTable> read() {
    JsonObjects json = read_json_objects(list_.value);
    if (json.fault) {
      const std::size_t at = json.fault->offset;
      const char letter = at < list_.value.size() ? list_.value[at] : '\0';
      const bool comma = letter == ']' || letter == '}';
      file_.error(diagnostics::kBrokenJson, list_.span(at, at + 1), "sync_table_list is not a list of tables in JSON: " + json.fault->what,
                  comma ? "take away the comma before it" : "it is [{\"db\": \"...\", \"table\": \"...\", \"primary_key\": \"...\"}, ...]");
      return {};
    }
    if (json.objects.empty()) file_.error(diagnostics::kBrokenJson, list_.value_span(), "sync_table_list names no table");
    std::vector<SparkJobTable> tables;
    for (const JsonObject& object : json.objects) tables.push_back(read_table(object));
    return tables;
  }

 private:
  SparkJobTable read_table(const JsonObject& object) {
    SparkJobTable table;
    for (const JsonMember& member : object.members) {
      const Span key = list_.span(member.key_begin, member.key_end);
      const auto known = std::find_if(kTableKeys.begin(), kTableKeys.end(), [&](const TableKey& one) { return member.key == one.name; });
      if (known == kTableKeys.end()) {
        std::vector<std::string> names;
        for (const TableKey& one : kTableKeys) names.emplace_back(one.name);
        file_.error(diagnostics::kUnknownKey, key, "unknown key " + quote(member.key) + " in an entry of sync_table_list",
                    diagnostics::did_you_mean(member.key, names));
        continue;
      }
      PlacedText& into = table.*known->member;
      if (into.span.begin != Span::kNowhere) {
        file_.error(diagnostics::kBadValue, key, quote(member.key) + " is given twice in one entry of sync_table_list");
        continue;
      }
      into.span = list_.span(member.value_begin, member.value_end);
      if (member.kind == JsonMember::Kind::kString) {
        into.text = member.value;
        if (known->is_flag) read_flag(member.key, into);
      } else if (member.kind == JsonMember::Kind::kBoolean && known->is_flag) {
        into.text = member.value == "true" ? "true" : "";
        if (!into.text.empty()) {
          file_.warning(diagnostics::kActsOtherwise, into.span,
                        member.key + " = true: the job takes no notice of it, since it is not the text \"true\"",
                        "here it is taken as it is meant");
        }
      } else {
        file_.error(diagnostics::kWrongType, into.span, quote(member.key) + " has to be a text", "write \"" + member.key + "\": \"...\"");
      }
    }
    for (const auto& [name, value] : {std::pair("db", &table.database), {"table", &table.table}, {"primary_key", &table.primary_key}}) {
      if (value->span.begin == Span::kNowhere) {
        file_.error(diagnostics::kMissingKey, list_.span(object.begin, object.begin + 1),
                    std::string("an entry of sync_table_list lacks ") + quote(name));
      } else if (split_names(value->text).empty()) {
        file_.error(diagnostics::kBadValue, value->span, quote(name) + " is empty");
      }
    }
    return table;
  }

  void read_flag(const std::string& key, PlacedText& flag) {
    // The job compares skip_delete with a misspelt word: what is documented does nothing there.
    if (key == "skip_delete" && flag.text == "ture") {
      flag.text = "true";
    } else if (key == "skip_delete" && flag.text == "true") {
      file_.warning(diagnostics::kActsOtherwise, flag.span,
                    "skip_delete = \"true\" has no effect in the job, which applied deletes all the same",
                    "here deletes are ignored, as is documented; take deletes = \"ignore\" out of the route to apply them as before");
    } else if (flag.text == "false") {
      flag.text.clear();
    } else if (!flag.text.empty() && flag.text != "true") {
      file_.error(diagnostics::kBadValue, flag.span, quote(key) + " has to be \"true\" or \"false\"",
                  diagnostics::did_you_mean(flag.text, {"true", "false"}));
      flag.text.clear();
    }
  }

  Findings& file_;
  const Property& list_;
};

void require(const SparkJob& job, Findings& file) {
  std::vector<std::string> required{"aws_region", "cdc_format", "kafka_broker", "redshift_schema", "redshift_tmpdir", "topic"};
  // The secret has the others.
  if (job.text("redshift_secret_id").empty()) {
    required.insert(required.end(), {"redshift_database", "redshift_host", "redshift_username"});
  }
  for (const std::string& name : required) {
    const auto found = job.options.find(name);
    if (found == job.options.end()) {
      file.error(diagnostics::kMissingKey, {}, "option " + quote(name) + " is missing",
                 name == "cdc_format"
                     ? "FLINK-CDC, DMS-CDC or MSK-DEBEZIUM-CDC; the job for MongoDB has none, and is not yet available here"
                     : "");
    } else if (found->second.value.empty()) {
      file.error(diagnostics::kBadValue, found->second.key_span, "option " + quote(name) + " is empty");
    }
  }
}

}  // namespace

std::string_view SparkJob::text(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::string_view() : std::string_view(found->second.value);
}

Span SparkJob::span(std::string_view option) const {
  const auto found = options.find(option);
  if (found == options.end()) return {};
  return found->second.value.empty() ? found->second.key_span : found->second.value_span();
}

SparkJob read_spark_job(Findings& file) {
  SparkJob job;
  if (const std::size_t at = sdk::find_invalid_utf8(file.text()); at != std::string_view::npos) {
    file.error(diagnostics::kNotText, {at, at + 1}, "the file is not UTF-8 text");
    return job;
  }
  for (Property& property : read_properties(file)) {
    if (std::find(option_names().begin(), option_names().end(), property.key) == option_names().end()) {
      file.mask(property.value_span());
      file.error(diagnostics::kUnknownKey, property.key_span, "unknown option " + quote(property.key),
                 diagnostics::did_you_mean(property.key, option_names()));
      continue;
    }
    if (job.options.contains(property.key)) {
      file.warning(diagnostics::kActsOtherwise, property.key_span,
                   quote(property.key) + " stands here a second time; this one counts, as in the job");
    }
    job.options.insert_or_assign(property.key, std::move(property));
  }
  require(job, file);
  const auto list = job.options.extract(std::string(kTables));
  if (list.empty()) {
    file.error(diagnostics::kMissingKey, {}, "option 'sync_table_list' is missing");
  } else {
    job.tables = TableListReader(file, list.mapped()).read();
  }
  return job;
}

std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (true) {
    std::string_view name = list.substr(0, list.find(','));
    const std::size_t end = name.size();
    while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
    if (end == list.size()) return names;
    list.remove_prefix(end + 1);
  }
}

}  // namespace cdcrt::cli
