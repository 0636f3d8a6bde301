#include "cdcrt/sdk/option.hpp"
#include "redshift_sink.hpp"
#include "redshift_types.hpp"

namespace {

using cdcrt::sdk::option;

const char* const kEncryptions[] = {"bucket", "sse-s3", "sse-kms", nullptr};
const char* const kCompressions[] = {"gzip", "none", nullptr};

cdcrt_option one_of(const char* key, const char* const* values, const char* doc, const char* fallback, const char* example) {
  return option(CDCRT_OPTION_ENUM, 0, key, doc, fallback, example, values);
}

cdcrt_option bounded(cdcrt_option_type type, const char* key, double minimum, double maximum, const char* doc, const char* fallback,
                     const char* example) {
  return option(type, 0, key, doc, fallback, example, nullptr, minimum, maximum);
}

const cdcrt_option kOptions[] = {
    option(CDCRT_OPTION_MAP, 0, "connection",
           "The ODBC connection as a table; values are quoted for you. `Driver` names an installed driver (`odbcinst -q -d`): Amazon's, or "
           "psqlODBC. "
           "Exclusive with `dsn`.",
           nullptr,
           "{ Driver = \"Amazon Redshift (x64)\", Server = \"${env:RS_HOST}\", Port = \"5439\", Database = \"shop\", UID = \"loader\", PWD "
           "= \"${env:RS_PASSWORD}\" }"),
    option(CDCRT_OPTION_STRING, 0, "dsn", "A data source of odbc.ini (`odbcinst -q -s`). Exclusive with `connection`.", nullptr,
           "\"warehouse\""),
    option(
        CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET, "login",
        "Who logs in, and where, in one: a JSON object with `username` and `password`, and `host`, `port` and `dbname` where `connection` "
        "does "
        "not name them, as Secrets Manager keeps it for Redshift (`${aws-sm:...}`) and IAM gives it for a while (`${redshift-iam:...}`).",
        nullptr, "\"${aws-sm:redshift!shop-admin}\""),
    bounded(CDCRT_OPTION_DURATION, "connect_timeout", 1e6, 3600e6,
            "How long connecting may take. A paused serverless workgroup needs some seconds to wake up.", "60s", "\"30s\""),
    bounded(
        CDCRT_OPTION_DURATION, "statement_timeout", 0, 24 * 3600e6,
        "How long one statement may run, waiting for locks included (Redshift has no lock timeout of its own); `0s`: as long as it takes.",
        "30min", "\"2h\""),
    option(CDCRT_OPTION_STRING, 0, "query_group", "Label of the session's queries, for workload management and the query history.", "cdcrt",
           "\"etl\""),
    option(CDCRT_OPTION_STRING, 0, "staging.url",
           "Where files for COPY are staged. Nothing but cdcrt should write or delete below it. Without it all rows travel inside of "
           "INSERT statements, which is slow.",
           nullptr, "\"s3://bucket/cdcrt/\""),
    option(CDCRT_OPTION_STRING, 0, "staging.region", "Region of the bucket; by default that of the environment (AWS_REGION) or profile.",
           nullptr, "\"eu-west-1\""),
    option(CDCRT_OPTION_STRING, 0, "staging.iam_role",
           "Role that COPY reads the files as: an ARN (in China it begins with arn:aws-cn), or `default` for the cluster's default role. "
           "Without it COPY is given the keys that "
           "staging signs with.",
           nullptr, "\"arn:aws:iam::123456789012:role/redshift-copy\""),
    option(CDCRT_OPTION_STRING, 0, "staging.access_key",
           "Access key of the user that writes the files. Without it the first of these that is configured: environment, web identity "
           "(IRSA), profile, container (Pod Identity), instance.",
           nullptr, "\"${env:STAGING_KEY}\""),
    option(CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET, "staging.secret_key", "Its secret.", nullptr, "\"${env:STAGING_SECRET}\""),
    option(CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET, "staging.session_token", "Token of temporary keys.", nullptr,
           "\"${env:STAGING_TOKEN}\""),
    option(CDCRT_OPTION_STRING, 0, "staging.profile",
           "Profile of ~/.aws/credentials or ~/.aws/config that is the identity: keys, credential_process, or role_arn.", nullptr,
           "\"etl\""),
    option(CDCRT_OPTION_STRING, CDCRT_OPTION_ADVANCED, "staging.endpoint", "Another S3 server than Amazon's of the region.", nullptr,
           "\"https://s3.example.net\""),
    option(CDCRT_OPTION_BOOLEAN, CDCRT_OPTION_ADVANCED, "staging.path_style",
           "https://endpoint/bucket/key rather than https://bucket.endpoint/key.", "false", "true"),
    one_of("staging.encryption", kEncryptions, "Encryption at rest of staged files: what the bucket says, S3's own keys, or a KMS key.",
           "bucket", "\"sse-kms\""),
    option(CDCRT_OPTION_STRING, 0, "staging.kms_key", "Id or ARN of the KMS key; else the account's aws/s3 key.", nullptr,
           "\"arn:aws:kms:eu-west-1:123456789012:key/...\""),
    one_of("staging.compression", kCompressions, "Of staged files.", "gzip", "\"none\""),
    bounded(CDCRT_OPTION_INTEGER, "staging.compression_level", 0, 3,
            "Of gzip: 1 is as tight as `gzip -1` at a quarter of its cost, 3 the tightest.", "1", "3"),
    bounded(CDCRT_OPTION_BYTES, "staging.part_size", 5242880, 1073741824,
            "Part of a multipart upload; each connection holds one in memory.", "8MiB", "\"16MiB\""),
    bounded(CDCRT_OPTION_DURATION, "staging.timeout", 1e6, 600e6,
            "How long a request to S3 may move no byte before it is given up and tried again. Rows are staged under their table's lock.",
            "30s", "\"10s\""),
    bounded(CDCRT_OPTION_INTEGER, "staging.files", 0, 1000,
            "Most files of one COPY; `0`: one per slice of the cluster, 8 where that cannot be asked (serverless).", "0", "16"),
    bounded(CDCRT_OPTION_INTEGER, "copy_from_rows", 0, 10000,
            "A write of more rows goes through S3 and COPY, a smaller one inside of a statement.", "64", "0"),
    bounded(CDCRT_OPTION_BYTES, "copy_from_bytes", 0, 4194304, "A write of more bytes goes through S3 and COPY, however few its rows.",
            "64KiB", "\"256KiB\""),
    bounded(CDCRT_OPTION_BYTES, "varchar", 1, 65535,
            "Bytes of a new VARCHAR column whose source has no length. Columns grow (256, 1024, 4096, 16384, 65535) when a value needs it, "
            "which needs the table's owner.",
            "65535", "256"),
};

const char* notes() {
  static const std::string text = "## Types\n\n" + cdcrt::sql::type_table(cdcrt::sql::redshift::types());
  return text.c_str();
}

}  // namespace

CDCRT_SINK("redshift", "0.1.0", cdcrt::redshift::RedshiftSink, kOptions, notes())
