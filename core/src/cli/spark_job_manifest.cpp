#include "cli/spark_job_manifest.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <optional>

#include "cli/spark_job_routes.hpp"
#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::printable;
using diagnostics::quote;

constexpr std::string_view kPassword = "${env:REDSHIFT_PASSWORD:-}";

struct Unneeded {
  const char* option;
  const char* why;
};
constexpr auto kUnneeded = std::to_array<Unneeded>({
    {"batch_timeout", "a write that takes long is bounded by the sink's statement_timeout, and a locked table holds up no other"},
    {"checkpoint_location", "where it stands is kept in the target, in schema cdcrt, with the rows. Keep the checkpoint for the way back"},
    {"disable_msg", "[runtime] log_level = \"debug\" says more"},
    {"max_offsets_per_trigger", "batches are bounded by memory and by [sinks.warehouse.batch]"},
    {"tempformat", "files are CSV, with gzip"},
    {"thread_max_workers", "tables share the sink's connections; more of them only queue for Redshift's commits"},
});

std::optional<int64_t> number_in(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

/// "30 seconds", as Spark writes an interval, as a duration of a manifest.
std::optional<std::string> duration_of(std::string_view text) {
  if (text.starts_with("interval ")) text.remove_prefix(9);
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto number = number_in(text.substr(0, blank));
  std::string_view unit = text.substr(blank + 1);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  static constexpr auto kUnits = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"microsecond", "us"}, {"millisecond", "ms"}, {"second", "s"}, {"minute", "min"}, {"hour", "h"}, {"day", "d"}});
  for (const auto& [spark, ours] : kUnits) {
    if (number && unit == spark) return std::to_string(*number) + std::string(ours);
  }
  return std::nullopt;
}

class ManifestWriter {
 public:
  ManifestWriter(const SparkJob& job, const std::string& schema, Findings& file) : job_(job), schema_(schema), file_(file) {}

  std::string write() {
    refuse_credentials();
    begin();
    source();
    sink();
    const std::string target_schema(job_.text("redshift_schema"));
    if (target_schema.find_first_of(".{}") != std::string::npos) {
      file_.error(diagnostics::kBadValue, job_.span("redshift_schema"),
                  "redshift_schema " + quote(target_schema) + " is no name of a schema");
    }
    line("\n[defaults]");
    line("table = " + manifest_string(target_schema + ".{table}"));
    if (job_.text("maxerror") == "0")
      line("\n[dead_letters]\nmax_count = 0                                                # maxerror = 0: the first one stops the run");
    text_ += spark_job_routes(job_, schema_, file_);
    unneeded();
    return text_;
  }

 private:
  void line(const std::string& text) { text_ += text + "\n"; }
  void setting(const std::string& key, std::string_view value) { line(key + " = " + manifest_string(value)); }

  void refuse_credentials() {
    for (const char* option : {"kafka_broker", "redshift_host", "redshift_tmpdir", "s3_endpoint"}) {
      if (job_.text(option).find('@') == std::string_view::npos) continue;
      file_.error(diagnostics::kBadValue, job_.span(option),
                  std::string(option) + " holds keys or a password before an '@', which are written nowhere",
                  "take them out of the address; in the manifest they are options of their own, see docs/redshift.md");
    }
  }

  void begin() {
    line("# Written by `cdcrt manifest import` from " + printable(file_.file()) +
         " of the Spark Structured Streaming job kafka-cdc-redshift.");
    line("# What changes, and the way over without loss: docs/migrate-from-spark.md.");
    line("[pipeline]");
    std::string_view name = job_.text("consumer_group");
    if (name.empty()) name = "cdc-redshift";
    if (name.size() > 128) {
      file_.error(diagnostics::kBadName, job_.span("consumer_group"),
                  "the group's name has more than 128 characters and cannot be the pipeline's too");
    }
    setting("name", name);
    line("\n[runtime]\nmemory = \"512MiB\"                                            # a quarter of it for rows that wait to be written");
  }

  /// The line that names the format. The manifest names plugins; nothing here asks which they are.
  std::string format_line() {
    const std::string_view format = job_.text("cdc_format");
    if (format == "MSK-DEBEZIUM-CDC") return "format.plugin = \"debezium-json\"";
    if (format == "FLINK-CDC") return "format.plugin = \"flink-cdc\"";
    if (format == "DMS-CDC") return "format.plugin = \"dms\"";
    if (format == "CANAL-CDC") {
      file_.error(diagnostics::kNotYetAvailable, job_.span("cdc_format"), "events of Canal cannot be read yet",
                  "FLINK-CDC, DMS-CDC and MSK-DEBEZIUM-CDC can");
    } else if (!format.empty()) {
      file_.error(diagnostics::kBadValue, job_.span("cdc_format"), quote(format) + " is no cdc_format",
                  diagnostics::did_you_mean(format, {"FLINK-CDC", "DMS-CDC", "MSK-DEBEZIUM-CDC"}));
    }
    return {};
  }

  void source() {
    line("\n[sources.events]");
    line("plugin = \"kafka\"");
    setting("brokers", job_.text("kafka_broker"));
    if (!job_.text("topic").empty() && split_names(job_.text("topic")).empty())
      file_.error(diagnostics::kBadValue, job_.span("topic"), "option 'topic' names no topic");
    line("topics = " + manifest_list(split_names(job_.text("topic"))));
    const std::string_view group = job_.text("consumer_group");
    if (!group.empty()) {
      setting("group", group);
      line(
          "# Where the group stands, else the beginning: it has offsets only if the job ran with KafkaOffsetCommitterListener. startingOffsets");
      line("# (" + printable(job_.text("startingOffsets")) + ") counted only where the job had no checkpoint.");
      line("start = \"committed\"");
    } else {
      setting("start", first_offset());
    }
    if (job_.text("checkpoint_interval") == "availableNow")
      line("stop = \"end\"                                                 # availableNow");
    line(format_line());
  }

  /// startingOffsets: a word, or milliseconds since 1970.
  std::string first_offset() {
    const std::string_view given = job_.text("startingOffsets");
    file_.warning(diagnostics::kActsOtherwise, {}, "there is no consumer_group: where the job stood is in its checkpoint alone",
                  "start says where reading begins; docs/migrate-from-spark.md has the way to take offsets out of the checkpoint");
    if (given == "earliest" || given == "latest") return std::string(given);
    const auto milliseconds = number_in(given);
    if (!milliseconds || *milliseconds > 253'402'300'799'999) {
      if (!given.empty())
        file_.error(diagnostics::kBadValue, job_.span("startingOffsets"),
                    "startingOffsets has to be earliest, latest or milliseconds since 1970");
      return "earliest";
    }
    const auto seconds = static_cast<std::time_t>(*milliseconds / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string fraction = std::to_string(1000 + *milliseconds % 1000).substr(1);
    return std::string(text.data()) + "." + fraction + "Z";
  }

  void sink() {
    line("\n[sinks.warehouse]");
    line("plugin = \"redshift\"");
    line("connections = 4");
    line("group_tables = 50                                            # share one commit when they are ready together");
    connection();
    line("[sinks.warehouse.batch]");
    line("max_rows = 500000");
    line("max_bytes = \"64MiB\"");
    interval();
    staging();
  }

  void connection() {
    const std::string_view secret = job_.text("redshift_secret_id");
    if (!secret.empty()) {
      if (secret.find_first_of("#}\"\\") != std::string_view::npos) {
        file_.error(diagnostics::kBadValue, job_.span("redshift_secret_id"),
                    "the name of the secret has a character that a reference cannot hold");
      }
      const std::string id(secret);
      // The job's own secret calls the database `database`, where Redshift's say `dbname`.
      line("login = \"${aws-sm:" + id + "}\"                              # host, port, username and password of the secret");
      line("[sinks.warehouse.connection]");
      line("Driver = \"Amazon Redshift (x64)\"");
      line("Database = \"${aws-sm:" + id + "#database}\"");
      if (!id.starts_with("arn:")) {
        file_.warning(diagnostics::kActsOtherwise, job_.span("redshift_secret_id"),
                      "the secret is asked for in the region of the environment",
                      "set AWS_REGION=" + std::string(job_.text("aws_region")) + ", or write the secret's ARN");
      }
    } else {
      const std::string_view port = job_.text("redshift_port");
      if (!port.empty() && !number_in(port)) {
        file_.error(diagnostics::kBadValue, job_.span("redshift_port"), "redshift_port is no number");
      }
      line("[sinks.warehouse.connection]");
      line("Driver = \"Amazon Redshift (x64)\"");
      setting("Server", job_.text("redshift_host"));
      setting("Port", port.empty() ? "5439" : port);
      setting("Database", job_.text("redshift_database"));
      setting("UID", job_.text("redshift_username"));
      line("PWD = \"" + std::string(kPassword) + "\"                        # of the environment; the file's is written nowhere");
      file_.warning(diagnostics::kActsOtherwise, job_.span("redshift_password"), "the password is not written into the manifest",
                    "set REDSHIFT_PASSWORD in the environment, or write PWD = \"${aws-sm:SECRET#password}\"");
    }
    line("SSLMode = \"verify-ca\"");
  }

  void interval() {
    const std::string_view interval = job_.text("checkpoint_interval");
    if (interval.empty() || interval == "availableNow") return;
    if (const auto duration = duration_of(interval)) {
      setting("min_interval", *duration);
      return;
    }
    line("# checkpoint_interval = " + printable(interval) +
         " is no interval that can be read here: min_interval = \"30s\" is how often a table is written.");
    file_.warning(diagnostics::kActsOtherwise, job_.span("checkpoint_interval"), "checkpoint_interval cannot be read as a time",
                  "min_interval in [sinks.warehouse.batch] is how often a table is written: \"30s\"");
  }

  void staging() {
    line("[sinks.warehouse.staging]");
    std::string url(job_.text("redshift_tmpdir"));
    for (const char* scheme : {"s3a://", "s3n://"}) {
      if (url.starts_with(scheme)) url = "s3://" + url.substr(6);
    }
    if (!url.starts_with("s3://") || url.size() < 6) {
      file_.error(diagnostics::kBadValue, job_.span("redshift_tmpdir"), "redshift_tmpdir has to be s3://BUCKET/PREFIX/");
    }
    // Nothing but cdcrt writes below its prefix.
    setting("url", url + (url.ends_with('/') ? "" : "/") + "cdcrt/");
    const std::string region(job_.text("aws_region"));
    setting("region", region);
    std::string_view role = job_.text("redshift_iam_role");
    if (!role.empty()) setting("iam_role", role);
    std::string endpoint(job_.text("s3_endpoint"));
    const std::string plain = endpoint.starts_with("https://") ? endpoint.substr(8) : endpoint;
    const bool is_amazons = plain.empty() || plain == "s3.amazonaws.com" || plain == "s3." + region + ".amazonaws.com" ||
                            plain == "s3." + region + ".amazonaws.com.cn" || plain == "s3-" + region + ".amazonaws.com";
    if (is_amazons) return;
    if (endpoint.find("://") == std::string::npos) endpoint = "https://" + endpoint;
    setting("endpoint", endpoint);
  }

  void unneeded() {
    std::string lines;
    const auto add = [&](std::string_view option, std::string_view why) {
      const std::string value = diagnostics::without_userinfo(std::string(job_.text(option)), diagnostics::Addresses::kAny);
      lines += "#   " + std::string(option) + " = " + printable(value) + ": " + std::string(why) + "\n";
    };
    for (const auto& [option, why] : kUnneeded) {
      if (job_.options.contains(option)) add(option, why);
    }
    if (job_.options.contains("maxerror") && job_.text("maxerror") != "0") {
      add("maxerror", "a row that cannot be stored becomes a dead letter and is kept; [dead_letters] max_count stops a run that has more");
    }
    if (!lines.empty()) text_ += "\n# Options of the job that are not needed:\n" + lines;
  }

  const SparkJob& job_;
  const std::string schema_;
  Findings& file_;
  std::string text_;
};

}  // namespace

std::string spark_job_manifest(const SparkJob& job, const std::string& schema, Findings& file) {
  const std::string manifest = ManifestWriter(job, schema, file).write();
  return file.has_errors() ? std::string() : manifest;
}

}  // namespace cdcrt::cli
