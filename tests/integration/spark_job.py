"""The Spark Structured Streaming job kafka-cdc-redshift as far as a test needs it: its configuration, events of its sources, and what it leaves in Redshift."""

import json

# As the job's users write it.
PROPERTIES = """# for emr ec2
aws_region = {region}
s3_endpoint = {endpoint}
checkpoint_location = s3://{bucket}/job/checkpoint/
checkpoint_interval = 1 second
kafka_broker = {brokers}
topic = {topic}
startingOffsets = latest
thread_max_workers = 30
disable_msg = true
cdc_format = {cdc_format}
max_offsets_per_trigger = 1000000
consumer_group = {group}
tempformat = CSV
maxerror = 100
redshift_secret_id =
redshift_host = {host}
redshift_port = {port}
redshift_username = {user}
redshift_password = {password}
redshift_database = {database}
redshift_schema = {schema}
redshift_tmpdir = {tmpdir}
redshift_iam_role = {role}

sync_table_list = [\\
{tables}\\
]
"""


def properties(tables, **values):
    """The text of a job.properties, in which a backslash is two. `tables`: entries of sync_table_list."""
    given = {"region": "eu-west-1", "endpoint": "s3.eu-west-1.amazonaws.com", "bucket": "my-bucket", "brokers": "b-1.msk:9092", "topic": "cdc", "cdc_format": "MSK-DEBEZIUM-CDC",
             "group": "cdc-redshift-g1", "host": "shop.abc.eu-west-1.redshift.amazonaws.com", "port": 5439, "user": "loader", "password": "Very-Secret-1", "database": "dev",
             "schema": "public", "tmpdir": "s3://my-bucket/job/tmpdir/", "role": "arn:aws:iam::123456789012:role/redshift-copy"}
    return PROPERTIES.format(tables=",\\\n".join(json.dumps(table).replace("\\", "\\\\") for table in tables), **{**given, **values})


def debezium(database, table, operation, row, before, position):
    """(key, value) of a change as the MySQL connector behind MSK Connect writes it, without schemas. The first column is the key."""
    name, value = next(iter((row or before).items()))
    return json.dumps({name: value}), flink(database, table, operation, row, before, position)[1]


def flink(database, table, operation, row, before, position):
    """(key, value) of a change as Flink CDC writes it: no key."""
    return None, json.dumps({"before": before, "after": row, "source": {
        "version": "1.9.8.Final", "connector": "mysql", "name": "mysql_binlog_source", "ts_ms": 1_700_000_000_000, "snapshot": "false", "db": database, "sequence": None,
        "table": table, "server_id": 1, "gtid": None, "file": "binlog.000001", "pos": position, "row": 0, "thread": None, "query": None},
        "op": operation, "ts_ms": 1_700_000_000_000, "transaction": None}, separators=(",", ":"))


def dms(database, table, operation, row, before, position):
    """(key, value) of a change as AWS DMS writes it, with its defaults: no NULL."""
    image = {name: cell for name, cell in (row or before).items() if cell is not None}
    return f"{database}.{table}", json.dumps({"data": image, "metadata": {
        "timestamp": f"2025-06-10T11:28:{position // 1000:02}.{position % 1000:03}000Z", "record-type": "data", "operation": {"c": "insert", "u": "update", "d": "delete"}[operation],
        "partition-key-type": "schema-table", "schema-name": database, "table-name": table, "transaction-id": position}}, separators=(",", ":"))


FORMATS = {"MSK-DEBEZIUM-CDC": debezium, "FLINK-CDC": flink, "DMS-CDC": dms}


def as_text(value):
    """A value as the job's files for COPY have it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def create_table(front, schema, table, columns, rows):
    """A table as the job has made it, sorted by its first column, with the rows that it has written; and its staging table, empty."""
    spelled = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    front.query(f'create table {schema}.{table} ({spelled}) sortkey ("{next(iter(columns))}")')
    front.query(f"create table {schema}.stage_table_shop_{table} ({spelled}, operation_aws varchar(65535))")
    lines = []
    for row in rows:
        cells = []
        for name, kind in columns.items():
            text = as_text(row.get(name))
            quoted = "null" if text is None else "'" + text.replace("'", "''") + "'"
            cells.append(f"json_parse({quoted})" if kind == "super" and text is not None else f"{quoted}::{kind}")
        lines.append("select " + ", ".join(cells))
    front.query(f"insert into {schema}.{table} " + " union all ".join(lines))
