#include "cdcrt/sdk/option.hpp"
#include "odbc/options.hpp"
#include "redshift_sink.hpp"
#include "redshift_types.hpp"

namespace {

namespace option = cdcrt::sdk::option;
namespace shared = cdcrt::odbc::options;
using namespace std::chrono_literals;

constexpr const char* kEncryptions[] = {"bucket", "sse-s3", "sse-kms", nullptr};
constexpr const char* kCompressions[] = {"gzip", "none", nullptr};

constexpr cdcrt_option kOptions[] = {
    shared::connection()
        .example("{ Driver = \"Amazon Redshift (x64)\", Server = \"${env:RS_HOST}\", Port = \"5439\", Database = \"shop\", UID = "
                 "\"loader\", PWD = \"${env:RS_PASSWORD}\" }")
        .doc("The ODBC connection as a table; values are quoted for you. `Driver` names an installed driver (`odbcinst -q -d`): Amazon's, "
             "or psqlODBC. Exclusive with `dsn`."),
    shared::dsn(),
    shared::login()
        .example("\"${aws-sm:redshift!shop-admin}\"")
        .doc("Who logs in, and where, in one: a JSON object with `username` and `password`, and `host`, `port` and `dbname` where "
             "`connection` does not name them, as Secrets Manager keeps it for Redshift (`${aws-sm:...}`) and IAM gives it for a while "
             "(`${redshift-iam:...}`)."),
    shared::connect_timeout(1h).default_value("60s").example("\"30s\"").doc(
        "How long connecting may take. A paused serverless workgroup needs some seconds to wake up."),
    shared::statement_timeout().default_value("30min").example("\"2h\"").doc(
        "How long one statement may run, waiting for locks included (Redshift has no lock timeout of its own); `0s`: as long as it "
        "takes."),
    option::text("query_group")
        .default_value("cdcrt")
        .example("\"etl\"")
        .doc("Label of the session's queries, for workload management and the query history."),
    option::text("staging.url")
        .example("\"s3://bucket/cdcrt/\"")
        .doc("Where files for COPY are staged. Nothing but cdcrt should write or delete below it. Without it all rows travel inside of "
             "INSERT statements, which is slow."),
    option::text("staging.region")
        .example("\"eu-west-1\"")
        .doc("Region of the bucket; by default that of the environment (AWS_REGION) or profile."),
    option::text("staging.iam_role")
        .example("\"arn:aws:iam::123456789012:role/redshift-copy\"")
        .doc("Role that COPY reads the files as: an ARN (in China it begins with arn:aws-cn), or `default` for the cluster's default role. "
             "Without it COPY is given the keys that staging signs with."),
    option::text("staging.access_key")
        .example("\"${env:STAGING_KEY}\"")
        .doc("Access key of the user that writes the files. Without it the first of these that is configured: environment, web identity "
             "(IRSA), profile, container (Pod Identity), instance."),
    option::text("staging.secret_key").secret().example("\"${env:STAGING_SECRET}\"").doc("Its secret."),
    option::text("staging.session_token").secret().example("\"${env:STAGING_TOKEN}\"").doc("Token of temporary keys."),
    option::text("staging.profile")
        .example("\"etl\"")
        .doc("Profile of ~/.aws/credentials or ~/.aws/config that is the identity: keys, credential_process, or role_arn."),
    option::text("staging.endpoint").advanced().example("\"https://s3.example.net\"").doc("Another S3 server than Amazon's of the region."),
    option::boolean("staging.path_style")
        .advanced()
        .default_value("false")
        .example("true")
        .doc("https://endpoint/bucket/key rather than https://bucket.endpoint/key."),
    option::one_of("staging.encryption", kEncryptions)
        .default_value("bucket")
        .example("\"sse-kms\"")
        .doc("Encryption at rest of staged files: what the bucket says, S3's own keys, or a KMS key."),
    option::text("staging.kms_key")
        .example("\"arn:aws:kms:eu-west-1:123456789012:key/...\"")
        .doc("Id or ARN of the KMS key; else the account's aws/s3 key."),
    option::one_of("staging.compression", kCompressions).default_value("gzip").example("\"none\"").doc("Of staged files."),
    option::integer("staging.compression_level")
        .default_value("1")
        .example("3")
        .between(0, 3)
        .doc("Of gzip: 1 is as tight as `gzip -1` at a quarter of its cost, 3 the tightest."),
    option::bytes("staging.part_size")
        .default_value("8MiB")
        .example("\"16MiB\"")
        .between(5242880, 1073741824)
        .doc("Part of a multipart upload; each connection holds one in memory."),
    option::duration("staging.timeout")
        .default_value("30s")
        .example("\"10s\"")
        .between(1s, 10min)
        .doc("How long a request to S3 may move no byte before it is given up and tried again. Rows are staged under their table's lock."),
    option::integer("staging.files")
        .default_value("0")
        .example("16")
        .between(0, 1000)
        .doc("Most files of one COPY; `0`: one per slice of the cluster, 8 where that cannot be asked (serverless)."),
    option::integer("copy_from_rows")
        .default_value("64")
        .example("0")
        .between(0, 10000)
        .doc("A write of more rows goes through S3 and COPY, a smaller one inside of a statement."),
    option::bytes("copy_from_bytes")
        .default_value("64KiB")
        .example("\"256KiB\"")
        .between(0, 4194304)
        .doc("A write of more bytes goes through S3 and COPY, however few its rows."),
    option::bytes("varchar").default_value("65535").example("256").between(1, 65535).doc(
        "Bytes of a new VARCHAR column whose source has no length. Columns grow (256, 1024, 4096, 16384, 65535) when a value needs it, "
        "which needs the table's owner."),
};

}  // namespace

const char* cdcrt::redshift::RedshiftSink::notes() {
  static const std::string text = "## Types\n\n" + cdcrt::sql::type_table(cdcrt::sql::redshift::types());
  return text.c_str();
}

CDCRT_SINK("redshift", "0.1.0", cdcrt::redshift::RedshiftSink, kOptions)
