// What `cdcrt manifest import` makes of a job's configuration.
#include <doctest/doctest.h>

#include <string>

#include "cli/findings.hpp"
#include "cli/json_objects.hpp"
#include "cli/properties_text.hpp"
#include "cli/spark_job.hpp"
#include "cli/spark_job_manifest.hpp"

using namespace cdcrt::cli;

namespace {

/// Options of a job that starts, around entries of sync_table_list and other lines.
std::string job_text(const std::string& tables, const std::string& more = "", const std::string& format = "MSK-DEBEZIUM-CDC") {
  return "aws_region = eu-west-1\nkafka_broker = b-1:9092,b-2:9092\ntopic = shop_cdc\ncdc_format = " + format +
         "\nconsumer_group = g1\nredshift_host = h.example\nredshift_port = 5439\nredshift_username = loader\nredshift_password = Very-Secret-1\n"
         "redshift_database = dev\nredshift_schema = public\nredshift_tmpdir = s3://b/tmp/\n" +
         more + "sync_table_list = [\\\n" + tables + "\\\n]\n";
}

struct Imported {
  std::string manifest, told;
  bool has_errors = false;
};

Imported import_text(const std::string& text, const std::string& schema = "") {
  Findings file("job.properties", text);
  const SparkJob job = read_spark_job(file);
  Imported result;
  result.manifest = spark_job_manifest(job, schema, file);
  result.told = file.render(false);
  result.has_errors = file.has_errors();
  CHECK(result.manifest.find("Very-Secret") == std::string::npos);
  CHECK(result.told.find("Very-Secret") == std::string::npos);
  return result;
}

Imported import_tables(const std::string& tables, const std::string& more = "", const std::string& schema = "") {
  return import_text(job_text(tables, more), schema);
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a properties file is read as Java does: separators, comments, escapes, lines that go on") {
  Findings file("f", "# c\n! c\n\n a = 1 \nb:2\nc\t3\nd=x\\\n   y\\\r\n\tz\ne = \\u00e4\\t\\=\\\\\nf =\ng = \\ud83d\\ude00");
  const auto found = read_properties(file);
  CHECK_FALSE(file.has_errors());
  REQUIRE(found.size() == 7);
  CHECK(found[0].key == "a");
  CHECK(found[0].value == "1");
  CHECK(found[1].value == "2");
  CHECK(found[2].value == "3");
  CHECK(found[3].value == "xyz");
  CHECK(found[4].value == "\xC3\xA4\t=\\");
  CHECK(found[5].value.empty());
  CHECK(found[6].value == "\xF0\x9F\x98\x80");
}

TEST_CASE("a line that is no key = value is shown, once for all that it puts out of place") {
  Findings file("f", "a = [1,\\ # no comment here\n{\"b\": 2},\\\n]\nc = 3\nlonely\nd = \\u12\n");
  read_properties(file);
  const std::string told = file.render(false);
  CHECK(has(told, "f:2:1: error[E0601]: this is not key = value\n  {\"b\": 2},\\\n  ^~~"));
  CHECK(has(told, "not even a comment"));
  CHECK(has(told, "f:5:1: error[E0601]: a line without '='"));
  CHECK(has(told, "f:6:5: error[E0601]: '\\u' without four hexadecimal digits"));
  CHECK(has(told, "3 errors"));
}

TEST_CASE("no line shows a secret or a part of one, whatever its separator") {
  for (const char* line : {"redshift_password : Very-Secret-1", "redshift_password Very-Secret-1", "redshift_pasword = Very-Secret-1",
                           "redshift_password = x\\\nVery-Secret-1", "redshift_password = x\nVery-Secret-1", "pass phrase = Very-Secret-1",
                           "unheard_of = Very-Secret-1", "\"redshift_password\": \"Very-Secret-1\""}) {
    import_text(std::string(line) + "\n");
  }
}

TEST_CASE("keys in an address are written nowhere") {
  Imported imported =
      import_tables(R"({"db": "a", "table": "t", "primary_key": "id"})", "checkpoint_location = s3a://KEY:Very-Secret-1@b/c\n");
  CHECK_FALSE(imported.has_errors);
  imported = import_tables(R"({"db": "a", "table": "t", "primary_key": "id"})", "redshift_tmpdir = s3a://KEY:Very-Secret-1@b/c\n");
  CHECK(has(imported.told, "redshift_tmpdir holds keys or a password"));
}

TEST_CASE("the list of tables is JSON, and each fault of it has a place in the file") {
  CHECK(has(import_tables(R"({"db": "a", "table": "t", "primary_key": "id"},)").told, "take away the comma before it"));
  const Imported broken = import_tables("{\"db\": \"a\", \"table\": \"t\", \"primary_key\": \"id\"}\\\n{\"db\": \"b\"}");
  CHECK(has(broken.told, "job.properties:15:1: error[E0602]: sync_table_list is not a list of tables in JSON"));
  CHECK(has(import_tables(R"({"db": "a", "table": "t", "primary_key": ["id"]})").told, "a text \"...\" is expected here"));
  CHECK(has(import_text("sync_table_list = {\"db\": \"a\"}\n").told, "a list [...] is expected here"));
  CHECK(has(import_tables("").told, "error[E0602]: sync_table_list names no table"));
  CHECK(has(import_tables(R"({"db": "a", "table": "t", "primary_key": 1})").told, "'primary_key' has to be a text"));
  const Imported lacking = import_tables(R"({"db": "a", "primary_key": ""})");
  CHECK(has(lacking.told, "job.properties:14:1: error[E0201]: an entry of sync_table_list lacks 'table'"));
  CHECK(has(lacking.told, "job.properties:14:28: error[E0205]: 'primary_key' is empty"));
}

TEST_CASE("an option or key that does not exist is named with the nearest one") {
  const Imported option = import_tables(R"({"db": "a", "table": "t", "primary_key": "id"})", "checkpoint_intervall = 30 seconds\n");
  CHECK(has(option.told, "job.properties:13:1: error[E0203]: unknown option 'checkpoint_intervall'"));
  CHECK(has(option.told, "did you mean 'checkpoint_interval'?"));
  const Imported key = import_tables(R"({"db": "a", "table": "t", "primary_key": "id", "ignore_dll": "true"})");
  CHECK(has(key.told, "job.properties:14:48: error[E0203]: unknown key 'ignore_dll'"));
  CHECK(has(key.told, "^~~~~~~~~~~~"));
  CHECK(has(key.told, "did you mean 'ignore_ddl'?"));
  CHECK(has(import_tables(R"({"db": "a", "table": "t", "primary_key": "id", "ignore_ddl": "ture"})").told, "did you mean 'true'?"));
  CHECK(has(import_text(job_text(R"({"db": "a", "table": "t", "primary_key": "id"})", "", "FLINK_CDC")).told, "did you mean 'FLINK-CDC'?"));
  CHECK(has(import_text(job_text(R"({"db": "a", "table": "t", "primary_key": "id"})", "", "CANAL-CDC")).told,
            "error[E0204]: events of Canal"));
  CHECK(has(import_text("topic = x\n").told, "option 'kafka_broker' is missing"));
}

TEST_CASE("source, sink and staging of the manifest are the job's") {
  const Imported imported = import_tables(
      R"({"db": "a", "table": "t", "primary_key": "id"})",
      "checkpoint_interval = 30 seconds\nmaxerror = 0\nredshift_iam_role = arn:aws:iam::1:role/r\ns3_endpoint = s3.eu-west-1.amazonaws.com\n");
  CHECK_FALSE(imported.has_errors);
  const std::string& text = imported.manifest;
  CHECK(has(text, "name = \"g1\"\n"));
  CHECK(has(text, "brokers = \"b-1:9092,b-2:9092\"\ntopics = [\"shop_cdc\"]\ngroup = \"g1\"\n"));
  CHECK(has(text, "start = \"committed\"\n"));
  CHECK(has(text, "Server = \"h.example\"\nPort = \"5439\"\nDatabase = \"dev\"\nUID = \"loader\"\nPWD = \"${env:REDSHIFT_PASSWORD:-}\""));
  CHECK(has(text, "min_interval = \"30s\"\n"));
  CHECK(has(text, "url = \"s3://b/tmp/cdcrt/\"\nregion = \"eu-west-1\"\niam_role = \"arn:aws:iam::1:role/r\"\n"));
  CHECK(text.find("endpoint") == std::string::npos);
  CHECK(has(text, "max_count = 0"));
  CHECK(has(text, "table = \"public.{table}\"\n"));
  CHECK(has(imported.told, "the password is not written into the manifest"));
}

TEST_CASE("intervals of Spark, other endpoints and times to begin at are carried over") {
  const std::string table = R"({"db": "a", "table": "t", "primary_key": "id"})";
  CHECK(has(import_tables(table, "checkpoint_interval = interval 2 minutes\n").manifest, "min_interval = \"2min\"\n"));
  CHECK(has(import_tables(table, "checkpoint_interval = availableNow\n").manifest, "stop = \"end\""));
  CHECK(has(import_tables(table, "checkpoint_interval = soon\n").told, "checkpoint_interval cannot be read as a time"));
  CHECK(has(import_tables(table, "s3_endpoint = minio:9000\n").manifest, "endpoint = \"https://minio:9000\"\n"));
  std::string without = job_text(table, "startingOffsets = 1767225600123\n");
  without.replace(without.find("consumer_group = g1\n"), 20, "");
  const Imported imported = import_text(without);
  CHECK(has(imported.manifest, "start = \"2026-01-01T00:00:00.123Z\"\n"));
  CHECK(has(imported.told, "there is no consumer_group"));
}

TEST_CASE("a secret is referred to by its name and nothing of the file's connection is written") {
  const Imported imported = import_tables(R"({"db": "a", "table": "t", "primary_key": "id"})", "redshift_secret_id = shop/rs\n");
  CHECK_FALSE(imported.has_errors);
  CHECK(has(imported.manifest, "login = \"${aws-sm:shop/rs}\""));
  CHECK(has(imported.manifest, "Database = \"${aws-sm:shop/rs#database}\"\n"));
  CHECK(imported.manifest.find("h.example") == std::string::npos);
  CHECK(has(imported.told, "AWS_REGION=eu-west-1"));
}

TEST_CASE("entries of one form share a route, and others have their own") {
  const Imported imported = import_tables(
      R"({"db": "a", "table": "t", "primary_key": "id"},{"db": "a", "table": "u", "primary_key": "id"},{"db": "b", "table": "v", "primary_key": "x, y"},)"
      R"({"db": "a", "table": "w", "primary_key": "id", "target_table": "Big_W", "ignore_ddl": "true", "skip_delete": "ture", "super_columns": "j", )"
      R"("timestamp_columns": "c,d|yyyy-MM-dd HH:mm:ss", "date_columns": "e"})");
  CHECK_FALSE(imported.has_errors);
  CHECK(has(imported.manifest, "[routes.a]\nmatch = [\"a.t\", \"a.u\"]\nprimary_key = [\"id\"]\n"));
  CHECK(has(imported.manifest, "[routes.b_v]\nmatch = [\"b.v\"]\nprimary_key = [\"x\", \"y\"]\n"));
  CHECK(has(
      imported.manifest,
      "[routes.a_w]\nmatch = [\"a.w\"]\nprimary_key = [\"id\"]\ntable = \"public.big_w\"\ncreate_tables = false\nschema_changes = \"ignore\"\n"
      "deletes = \"ignore\"\n[routes.a_w.columns]\nc = { type = \"timestamp\", parse = \"iso8601\" }\nd = { type = \"timestamp\", parse = \"iso8601\" }\n"
      "e = { type = \"date\", parse = \"epoch_days\" }\nj = { type = \"json\" }\n"));
}

TEST_CASE("tables of a database with schemas are of the schema that is given") {
  const std::string table = R"({"db": "a", "table": "t", "primary_key": "id"})";
  CHECK(has(import_tables(table, "", "public").manifest, "match = [\"a.public.t\"]"));
  CHECK(has(import_tables(table, "", "*").manifest, "match = [\"a.*.t\"]"));
  CHECK(has(import_text(job_text(table, "", "DMS-CDC"), "public").manifest, "match = [\"a.t\"]"));
}

TEST_CASE("without a schema it is told that no table of a database with schemas is met") {
  const std::string table = R"({"db": "a", "table": "t", "primary_key": "id"})";
  const char* const kTold = "tables are looked for as database.table";
  for (const char* const format : {"MSK-DEBEZIUM-CDC", "FLINK-CDC"}) {
    CHECK(has(import_text(job_text(table, "", format)).told, kTold));
    CHECK(import_text(job_text(table, "", format), "public").told.find(kTold) == std::string::npos);
  }
  CHECK(has(import_tables(table).told, "--schema SCHEMA (public, dbo, ...)"));
  const auto of_topics = [&](const std::string& topics) {
    std::string text = job_text(table);
    return import_text(text.replace(text.find("shop_cdc"), 8, topics)).told;
  };
  CHECK(has(of_topics("pg.public.t,pg.public.u"), "--schema public, or"));
  CHECK(of_topics("mysql.a.t,mysql.a.u").find(kTold) == std::string::npos);
  CHECK(import_text(job_text(table, "", "DMS-CDC")).told.find(kTold) == std::string::npos);
  CHECK(has(import_text(job_text(table, "", "DMS-CDC"), "public").told, "--schema has no effect for DMS-CDC"));
}

TEST_CASE("a name that meets no table, and a list of topics without one, are told") {
  CHECK(has(import_tables(R"({"db": "a", "table": "t,u", "primary_key": "id", "target_table": "x"})").told, "'t,u' is one name"));
  CHECK(has(import_tables(R"({"db": " a", "table": "t", "primary_key": "id", "target_table": "x"})").told, "' a' is one name"));
  CHECK(import_tables(R"({"db": "a", "table": "t_[0-9]", "primary_key": "id", "target_table": "x"})").told.find("is one name") ==
        std::string::npos);
  std::string text = job_text(R"({"db": "a", "table": "t", "primary_key": "id"})");
  CHECK(has(import_text(text.replace(text.find("shop_cdc"), 8, ",")).told, "'topic' names no topic"));
}

TEST_CASE("tables that the job merges under two keys are refused") {
  const Imported imported =
      import_tables(R"({"db": "a", "table": "user", "primary_key": "id"},{"db": "b", "table": "user", "primary_key": "no"})");
  CHECK(imported.has_errors);
  CHECK(has(imported.told, "fills 'public.user' too, with another primary_key"));
}

TEST_CASE("a regular expression of the job is one of the route") {
  const Imported imported = import_tables(
      R"({"db": "a", "table": "s[0-9]+|x$", "primary_key": "id", "target_table": "s"},{"db": "a", "table": "s1", "primary_key": "id"})");
  CHECK_FALSE(imported.has_errors);
  CHECK(has(imported.manifest, R"x(match = ["re:a\\.(?:s[0-9]+|x$$)"])x"));
  CHECK(has(imported.told, "'s1' is matched by"));
  CHECK(has(
      import_tables(
          R"x({"db": "a", "table": "(?<=x)y", "primary_key": "id", "target_table": "s"},{"db": "a", "table": "t", "primary_key": "id"})x")
          .manifest,
      "# [routes.a"));
  const Imported colons =
      import_tables(R"({"db": "a", "table": "t", "primary_key": "id,id", "timestamp_columns": "c:d|yyyy-MM-dd HH:mm:ss.SSS"})");
  CHECK(has(colons.manifest, "primary_key = [\"id\"]\n[routes.a_t.columns]\nc = { type = \"timestamp\", parse = \"iso8601\" }\nd = {"));
  CHECK(has(import_tables(R"({"db": "a", "table": "s.*", "primary_key": "id"})").told, "a regular expression without target_table"));
}

TEST_CASE("what has no counterpart is a comment of one line and a warning") {
  const Imported imported = import_tables(
      R"({"db": "a", "table": "t", "primary_key": "id", "save_delete": "true"},{"db": "a", "table": "u", "primary_key": "id", "only_save_delete": "true"},)"
      R"({"db": "a", "table": "t", "primary_key": "id", "target_table": "t2"},{"db": "a", "table": "w", "primary_key": "id", "date_columns": "e|dd\\nMM"})");
  CHECK_FALSE(imported.has_errors);
  CHECK(has(imported.manifest, "# save_delete: a table of deleted rows (archive_deletes) is not yet available"));
  CHECK(has(imported.manifest, "# [routes.a_u]\n# match = [\"a.u\"]\n"));
  CHECK(has(imported.manifest, "# table = \"public.t2\"\n"));
  CHECK(has(imported.manifest, "'dd\\nMM'"));
  CHECK(has(imported.told, "6 warnings"));
}

TEST_CASE("a job of which no table can be read is refused: a manifest without routes would take every table") {
  const Imported imported = import_tables(R"({"db": "a", "table": "u", "primary_key": "id", "only_save_delete": "true"})");
  CHECK(imported.has_errors);
  CHECK(has(imported.told, "error[E0204]: no table of sync_table_list can be read here yet"));
}

TEST_CASE("flags that the job takes no notice of are taken as they are meant, and told") {
  const Imported imported = import_tables(
      R"({"db": "a", "table": "t", "primary_key": "id", "skip_delete": "true"},{"db": "a", "table": "u", "primary_key": "id", "ignore_ddl": true})");
  CHECK_FALSE(imported.has_errors);
  CHECK(has(imported.manifest, "deletes = \"ignore\""));
  CHECK(has(imported.manifest, "schema_changes = \"ignore\""));
  CHECK(has(imported.told, "has no effect in the job"));
  CHECK(has(imported.told, "since it is not the text \"true\""));
}

TEST_CASE("tables of two databases that the job merges are merged, with a warning") {
  const Imported imported =
      import_tables(R"({"db": "a", "table": "user", "primary_key": "id"},{"db": "b", "table": "User", "primary_key": "id"})");
  CHECK(has(imported.manifest, "[routes.a_user]\nmatch = [\"a.user\"]\nprimary_key = [\"id\"]\ntable = \"public.user\"\n"));
  CHECK(has(imported.manifest, "[routes.b_User]\nmatch = [\"b.User\"]\nprimary_key = [\"id\"]\ntable = \"public.user\"\n"));
  CHECK(has(imported.told, "fills 'public.user' too"));
}
