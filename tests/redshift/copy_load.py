"""COPY from S3 into a table of the backend: all or nothing, refused rows in the load-error tables, which survive the rollback."""

import re
import zlib

from redshift import wire
from redshift.csv_stream import BadRow, Converter, TEMPORAL_ERRORS, inflated, pieces_of, records_of, whole_records
from redshift.create_table import digest_of
from redshift.errors import SqlError
from redshift.names import literal, quoted
from redshift.rules import rejection
from redshift.s3 import Credentials, S3Error, manifest_entries

COLUMNS = """select a.attname, t.typname, a.atttypmod, a.attrelid::bigint, a.attidentity <> ''
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = {table}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum"""
CONTEXT = re.compile(r"COPY [^\n]*?, line (\d+)(?:, column ([^:,]+|\"[^\"]+\"))?(?:: \"(.*)\"|, null input)?", re.DOTALL)
ENCODINGS = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "date", "time", "timetz", "timestamp", "timestamptz"), "az64"),
    **dict.fromkeys(("varchar", "bpchar", "varbyte"), "lzo"), "super": "zstd"
}
INTEGERS = {"int2": "Short", "int4": "Integer", "int8": "Long", "numeric": "Decimal"}


class Loader:
    """One COPY. `session`: backend, admin (its own connection), names, settings. `faults`: those that are due now."""

    def __init__(self, session, copy, s3, roles, faults):
        self.session, self.copy, self.s3, self.roles, self.faults = session, copy, s3, roles, {fault["kind"]: fault for fault in faults}
        self.backend = session.backend
        self.region = copy.get("REGION") or s3.region
        self.starts = []          # (first line in the stream, bucket, key, first line in the file)
        self.skipped = set()      # (place of the file, line) of rows that MAXERROR lets go

    def run(self):
        """Answers the number of rows."""
        copy = self.copy
        self.credentials = self._credentials()
        self.files = self._files()
        rows = self.backend.rows(COLUMNS.format(table=literal(copy.table)))
        by_name = {row[0]: row for row in rows}
        owner = f"select pg_has_role(relowner, 'usage') from pg_class where oid = {literal(copy.table)}::regclass"
        if "STATUPDATE" in copy.options and self.backend.rows(owner) != [["t"]]:
            raise rejection("statupdate-owner", copy.name[-1])
        if copy.columns is None:
            self.columns = [row for row in rows if row[4] != "t" or copy.get("EXPLICIT_IDS")]
        else:
            short = self.session.names.short
            for name in copy.columns:
                if short(name) not in by_name:
                    raise SqlError("42703", f'column "{name}" of relation "{copy.name[-1]}" does not exist')
            self.columns = [by_name[short(name)] for name in copy.columns]
        self.converter = Converter([row[1] for row in self.columns], [int(row[2]) - 4 & 2047 for row in self.columns],
                                   [int(row[2]) - 4 if row[1] in ("varchar", "bpchar") and int(row[2]) >= 0 else None for row in self.columns], copy.options)
        compressed = self._compresses()
        errors = 0
        self.backend.run("savepoint redshift_copy")
        while True:
            try:
                count = self._load()
                break
            except BadRow as row:
                self._report(row)
                errors += 1
                if not copy.get("IGNOREALLERRORS") and errors >= max(1, copy.get("MAXERROR", 0)):
                    raise self._failed() from row
                self.skipped.add((row.file, row.line))
                self.backend.run("rollback to savepoint redshift_copy")
        if copy.get("NOLOAD"):
            self.backend.run("rollback to savepoint redshift_copy")
        self.backend.run("release savepoint redshift_copy")
        if compressed and count and not copy.get("NOLOAD"):
            self._compress()
        return count

    # ---- compression ----

    def _compresses(self):
        """Whether this COPY chooses encodings: [D] copy-parameters-data-load (COMPUPDATE). Into an empty table, and by itself only where no
        column has one; ON and PRESET replace those that are there."""
        wanted = self.copy.get("COMPUPDATE")
        if wanted is False or self.backend.rows(f"select 1 from {self.copy.table} limit 1"):
            return False
        relation = f"{literal(self.copy.table)}::regclass"
        return wanted is True or not self.backend.rows(
            f"select 1 from redshift_front.encodings where relid = {relation} and encode not in ('raw', 'none')")

    def _compress(self):
        kinds = " ".join(f"when '{kind}' then '{encoding}'" for kind, encoding in ENCODINGS.items())
        self.backend.run(
            f"insert into redshift_front.encodings select a.attrelid, a.attnum, case t.typname {kinds} else 'raw' end from pg_attribute a "
            f"join pg_type t on t.oid = a.atttypid where a.attrelid = {literal(self.copy.table)}::regclass and a.attnum > 0 and not a.attisdropped "
            "on conflict (relid, attnum) do update set encode = excluded.encode")

    # ---- where from ----

    def _credentials(self):
        copy = self.copy
        if "denied" in self.faults:
            raise self._s3_failure(S3Error(403, "AccessDenied", "Access Denied"), copy.bucket, copy.key)
        if "expired_credentials" in self.faults:
            raise self._s3_failure(S3Error(400, "ExpiredToken", "The provided token has expired."), copy.bucket, copy.key)
        if copy.get("IAM_ROLE"):
            role = copy.get("IAM_ROLE")
            if role not in self.roles:
                raise SqlError(
                    "XX000",
                    f"User arn:aws:redshift:{self.s3.region}:123456789012:dbuser:test/{self.session.user} is not authorized to assume IAM Role {role}"
                    if role != "default" else "Default IAM role is not set for the cluster",
                    detail="code: 8001")
            return self.roles[role]
        if copy.get("CREDENTIALS"):
            parts = dict(part.partition("=")[::2] for part in copy.get("CREDENTIALS").split(";"))
            if "aws_iam_role" in parts:
                copy.options["IAM_ROLE"] = parts["aws_iam_role"]
                return self._credentials()
            return Credentials(parts.get("aws_access_key_id", ""), parts.get("aws_secret_access_key", ""), parts.get("token"))
        return Credentials(copy.get("ACCESS_KEY_ID"), copy.get("SECRET_ACCESS_KEY"), copy.get("SESSION_TOKEN"))

    @staticmethod
    def _s3_failure(error, bucket, key):
        return SqlError(
            "XX000", error.text, f"\n  -----------------------------------------------\n  error:  {error.text}\n  code:      8001\n"
            f"  context:   S3 key being read : s3://{bucket}/{key}\n  location:  s3_utility.cpp\n  -----------------------------------------------"
        )

    def _read(self, bucket, key):
        try:
            return self.s3.open(bucket, key, self.credentials, self.region)
        except S3Error as error:
            failure = self._s3_failure(error, bucket, key)
            failure.missing = error.status == 404 and error.code == "NoSuchKey"
            raise failure from error

    def _files(self):
        copy = self.copy
        if not copy.get("MANIFEST"):
            # [D] copy-parameters-data-source-s3: a prefix; every object whose key begins with it.
            try:
                keys = self.s3.keys(copy.bucket, copy.key, self.credentials, self.region)
            except S3Error as error:
                raise self._s3_failure(error, copy.bucket, copy.key) from error
            if not keys:
                raise SqlError("XX000", f"The specified S3 prefix '{copy.key}' does not exist")
            return [(copy.bucket, key, True) for key in keys]
        try:
            with self._read(copy.bucket, copy.key) as response:
                entries = manifest_entries(response.read(), f"s3://{copy.bucket}/{copy.key}")
        except SqlError as error:
            error.text = f"Problem reading manifest file - {error.text}" if error.text.startswith("S3ServiceException") else error.text
            raise
        if "copy_file_missing" in self.faults:
            bucket, key, _ = entries[-1]
            raise self._s3_failure(S3Error(404, "NoSuchKey", "The specified key does not exist."), bucket, key)
        return entries

    # ---- the stream ----

    def _chunks(self):
        """Chunks for PostgreSQL's COPY."""
        stream_line, loaded = 1, 0
        self.starts = []
        for place, (bucket, key, mandatory) in enumerate(self.files):
            try:
                response = self._read(bucket, key)
            except SqlError as error:
                if getattr(error, "missing", False) and not mandatory:
                    continue
                raise
            loaded += 1
            line, header = 1, self.copy.get("IGNOREHEADER", 0)
            with response:
                try:
                    for chunk in whole_records(inflated(response) if self.copy.get("GZIP") else pieces_of(response)):
                        for part, line, after in self._parts(chunk, place, line, header):
                            self.starts.append((stream_line, place, line))
                            try:
                                if place == 0 and line == 1 and "copy_bad_row" in self.faults:
                                    self._refuse(part)
                                converted = self.converter.convert(part, line)
                            except BadRow as row:
                                row.file = place
                                raise
                            stream_line += part.count(b"\n")
                            yield converted
                        line = after
                        header = 0
                except zlib.error as error:
                    raise SqlError("XX000", f"failed to inflate: {error}", f"s3://{bucket}/{key}") from error
        if not loaded:
            raise SqlError("XX000", f"The specified S3 prefix '{self.copy.key}' does not exist")

    def _parts(self, chunk, place, line, header):
        """(bytes, their first line, the line after the chunk): the chunk without heads and skipped rows."""
        end = line + chunk.count(b"\n")
        if not header and place not in {file for file, _ in self.skipped}:
            return [(chunk, line, end)]
        answer, kept, first = [], [], line
        for record in records_of(chunk):
            following = line + record.count(b"\n")
            if header or (place, line) in self.skipped:
                header -= header > 0
                answer.append((b"".join(kept), first, end))
                kept, first = [], following
            else:
                kept.append(record)
            line = following
        return [*answer, (b"".join(kept), first, end)]

    def _refuse(self, chunk):
        wanted = self.faults["copy_bad_row"].get("line", 1)
        for number, record in enumerate(records_of(chunk), 1):
            if number == wanted:
                raise BadRow(wanted, 0, 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer", record.rstrip(b"\r\n"), b"x")

    def _load(self):
        copy, backend = self.copy, self.backend
        chunks = self._chunks()
        first = next(chunks, b"")  # before COPY begins: most errors of S3 come here
        listed = ", ".join(quoted(row[0]) for row in self.columns)
        backend.query(
            f"copy {copy.table} ({listed}) from stdin with (format csv, null {literal(copy.get('NULL', chr(92) + 'N'))}, encoding 'UTF8')")
        kind, body = backend.reader.message()
        if kind != b"G":
            list(backend.replies())
            raise backend.error(body)
        failure = None
        try:
            if first:
                backend.send(wire.message(b"d", first))
            for chunk in chunks:
                backend.send(wire.message(b"d", chunk))
            backend.send(wire.message(b"c"))
        except (BadRow, SqlError) as error:
            failure = error
            backend.send(wire.message(b"f", wire.text("refused")))
        count = 0
        for kind, body in backend.replies():
            if kind == b"C":
                count = int(body.rstrip(b"\0").split()[-1])
            elif kind == b"E" and failure is None:
                failure = self._bad_row(wire.fields(body), body)
        if failure:
            raise failure
        return count

    # ---- refusals ----

    def _bad_row(self, fields, body):
        """PostgreSQL's refusal of a row as Redshift's."""
        match = CONTEXT.search(fields.get("W", ""))
        if not match:
            return self.backend.error(body)
        stream_line, column, value = int(match[1]), (match[2] or "").strip('"'), match[3] or ""
        if not column and "missing data for column" in fields.get("M", ""):
            column = fields["M"].partition('"')[2].rstrip('"')
        start = max((entry for entry in self.starts if entry[0] <= stream_line), default=(1, 0, 1))
        file, line = start[1], start[2] + stream_line - start[0]
        broken = fields.get("n", "") if fields.get("C") == "23514" else ""
        index = next((place for place, row in enumerate(self.columns)
                      if row[0] == (column or fields.get("c", "")) or (broken and broken.endswith(digest_of(row[0])))), None)
        kind = self.columns[index][1] if index is not None else ""
        code, reason = _reason(fields.get("C", ""), fields.get("M", ""), kind, value)
        line, raw = self._record_at(file, line)
        row = BadRow(line, index, code, reason, raw, value.encode())
        row.file = file
        return row

    def _record_at(self, file, line):
        """(first line, bytes) of the record that has this line."""
        bucket, key, _ = self.files[file]
        number = 1
        with self._read(bucket, key) as response:
            for chunk in whole_records(inflated(response) if self.copy.get("GZIP") else pieces_of(response)):
                lines = chunk.count(b"\n")
                if number + lines <= line:
                    number += lines
                    continue
                for record in records_of(chunk):
                    count = record.count(b"\n")
                    if number <= line < number + count:
                        return number, record.rstrip(b"\r\n")
                    number += count
        return line, b""

    def _report(self, row):
        bucket, key, _ = self.files[row.file]
        column = self.columns[row.column] if row.column is not None else None
        name = self.session.names.long.get(column[0], column[0]) if column else ""
        length = ""
        if column:
            modifier = int(column[2])
            length = {"varchar": str(modifier - 4), "bpchar": str(modifier - 4), "varbyte": str((modifier - 4) // 2),
                      "numeric": f"{(modifier - 4) >> 16 & 65535}, {modifier - 4 & 2047}"}.get(column[1], "0")
        text = lambda value: literal(value if isinstance(value, str) else value.replace(b"\0", b"").decode(errors="replace"))  # noqa: E731
        table = self.columns[0][3] if self.columns else "0"
        self.session.admin_run(
            "insert into redshift_front.load_errors (userid, tbl, session, query, filename, line_number, "
            "colname, type, col_length, position, raw_line, "
            f"raw_field_value, err_code, err_reason) values (100, {table}, {self.backend.process}, {self.session.query_id}, "
            f"{text(f's3://{bucket}/{key}')}, {row.line}, {text(name)}, {text(column[1] if column else '')}, {text(length)}, 0, "
            f"{text(row.raw[:1024])}, "
            f"{text(row.value[:1024])}, {row.code}, {text(row.reason)})")

    def _failed(self):
        # [I] databricks/spark-redshift#53
        return SqlError("XX000", f"Load into table '{self.copy.name[-1]}' failed.  Check 'stl_load_errors' system table for details.")


def _reason(state, words, kind, value):
    """(code, reason) of AWS's "Load error reference" for a refusal of PostgreSQL; words of common reports, [U] where they differ."""
    if state == "22P04":
        return (1202, "Extra column(s) found") if "extra data" in words else (1214, "Delimiter not found")
    if state == "22001":
        return 1204, "String length exceeds DDL length"
    if state == "23502":
        return 1213, "Missing data for not-null field"
    if state in ("22021", "22P05"):
        match = re.search(r"0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*", words)
        return 1220, f"String contains invalid or unsupported UTF8 codepoints. " \
                     f"Bad UTF8 hex sequence: {match[0].replace('0x', '') if match else ''} (error 2)"
    if kind == "super":
        return 1224, "Parsing error: invalid JSON"
    if kind in INTEGERS:
        if state in ("22003", "23514"):
            return 1204, f"Overflow, Value '{value}', Type: {INTEGERS[kind]}"
        return 1207, f"Invalid digit, Value '{value[:1]}', Pos 0, Type: {INTEGERS[kind]}"
    if kind in ("float4", "float8"):
        return 1208, "Invalid digit, Value '%s', Pos 0, Type: Double" % value[:1]
    if kind == "bool":
        return 1210, "Unknown boolean format"
    if kind in ("date", "timestamp", "timestamptz", "time", "timetz"):
        return TEMPORAL_ERRORS[kind == "date"]
    return 1200, words
