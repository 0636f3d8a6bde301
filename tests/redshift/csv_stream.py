"""CSV files of a COPY as one stream for PostgreSQL's COPY: plain rows pass as they are, only those that Redshift reads otherwise are
rewritten or refused here. [D] copy-parameters-data-format (CSV), copy-parameters-data-conversion."""

import io
import re
import zlib

from redshift.copy_fields import Fields

CHUNK = 1 << 20
RECORD_LIMIT = 4 << 20  # [D] r_COPY: one input row has up to 4 MB
QUOTED = re.compile(rb'"[^"]*"')
QUOTE_AHEAD, BLANKS = re.compile(rb' *"'), re.compile(rb" *")
NUMERIC = {"int2", "int4", "int8", "numeric", "float4", "float8"}
TEMPORAL = {"date", "timestamp", "timestamptz", "time", "timetz"}


class BadRow(Exception):
    """A row that Redshift refuses: its number in the file (from 1), the column's index (None: the row as such)."""

    def __init__(self, line, column, code, reason, raw=b"", value=b""):
        super().__init__(reason)
        self.line, self.column, self.code, self.reason, self.raw, self.value = line, column, code, reason, raw, value


def inflated(response):
    """The plain bytes of a gzip stream, in pieces; several members follow one another."""
    engine, inside = zlib.decompressobj(31), False
    while piece := response.read(CHUNK):
        while piece:
            inside = True
            yield engine.decompress(piece)
            piece = engine.unused_data
            if engine.eof:
                engine, inside = zlib.decompressobj(31), False
    if inside:
        raise zlib.error("unexpected end of the file")


def pieces_of(response):
    while piece := response.read(CHUNK):
        yield piece


def whole_records(pieces):
    """Pieces cut at ends of records: newlines outside of quotes."""
    kept = b""
    for piece in pieces:
        kept += piece
        end, quotes = len(kept), kept.count(b'"')
        while True:
            cut = kept.rfind(b"\n", 0, end)
            if cut < 0:
                break
            quotes -= kept.count(b'"', cut, end)
            end = cut
            if quotes % 2 == 0:
                yield kept[:cut + 1]
                kept = kept[cut + 1:]
                break
        if len(kept) > RECORD_LIMIT + CHUNK:
            break
    else:
        if kept:
            yield kept if kept.endswith(b"\n") else kept + b"\n"
        return
    yield kept


def records_of(chunk):
    """The records of a piece that ends at one."""
    pending = b""
    for line in io.BytesIO(chunk):
        pending += line
        if pending.count(b'"') % 2 == 0:
            yield pending
            pending = b""
    if pending:
        yield pending


def split(record, line):
    """[(bytes, quoted)] of a record. Blanks around quotes are ignored ([D] copy-parameters-data-format)."""
    record = record.rstrip(b"\n")
    if record.endswith(b"\r"):
        record = record[:-1]
    answer, place, end = [], 0, len(record)
    while True:
        if QUOTE_AHEAD.match(record, place):
            place = record.index(b'"', place)
            close = place + 1
            while True:
                close = record.find(b'"', close)
                if close < 0:
                    raise BadRow(line, None, 1214, "Invalid quote formatting for CSV", record)
                if record[close + 1:close + 2] == b'"':
                    close += 2
                    continue
                break
            answer.append((record[place + 1:close].replace(b'""', b'"'), True))
            place = BLANKS.match(record, close + 1).end()
            if place < end and record[place:place + 1] != b",":
                raise BadRow(line, None, 1214, "Invalid quote formatting for CSV", record)
        else:
            comma = record.find(b",", place)
            stop = end if comma < 0 else comma
            if b'"' in record[place:stop]:
                raise BadRow(line, None, 1214, "Invalid quote formatting for CSV", record)
            answer.append((record[place:stop], False))
            place = stop
        if place >= end:
            return answer
        place += 1
        if place == end:
            answer.append((b"", False))
            return answer


class Converter:
    """`kinds`: PostgreSQL's type names of the columns; `scales`: of numeric ones, `lengths`: of strings. `options`: COPY's."""

    def __init__(self, kinds, scales, lengths, options):
        self.kinds, self.scales, self.lengths = kinds, scales, lengths
        self.fields, self.options = Fields(options), options
        self.null, self.roundec, self.invalid = self.fields.null, bool(options.get("ROUNDEC")), options.get("ACCEPTINVCHARS")
        present = set(kinds)
        self.every = bool(present & {"varbyte", "bpchar"} or present & self.fields.strict) or self.invalid is not None or self.fields.changes
        # In the view quoted fields are \1 and doubled quotes \2\2: empty or blank fields, wrong quotes, a lone \., carriage returns.
        self.view_pattern = re.compile(
            rb",(?= *[,\r\n])|[\n\x03](?= *[,\r\n])|[^,\n\x03]\x01|\x01[^,\n\r]|\"|\x02\x02\x01|\n\\\.|\x03\\\.|\r")
        self.words, patterns = [], []
        if present & TEMPORAL:
            self.words += [b"infinity", b"epoch", b"now", b"today", b"tomorrow", b"yesterday", b"allballs"]
            patterns.append(rb":\d\d\.\d{7}")
        if "numeric" in present:
            self.words += [b"nan", b"inf"]
            patterns += [] if self.roundec else [rb"\.\d"]
        self.raw_pattern = re.compile(b"|".join(patterns)) if patterns else None
        self.has_super = "super" in present

    def suspicious(self, data):
        """Whether a record of the data, which begins and ends with one, may have to be looked at."""
        if self.every or b"\0" in data:
            return True
        view = data.replace(b'""', b"\2\2") if b'"' in data else data
        if b'"' in view:
            view = QUOTED.sub(b"\1", view)
        if self.view_pattern.search(b"\3" + view) or (self.raw_pattern and self.raw_pattern.search(data)):
            return True
        if self.words:
            small = data.lower()
            if any(word in small for word in self.words):
                return True
        if not self.has_super:
            return False
        return (len(data) > 65535 and max(map(len, data.split(b"\n"))) > 65535) or data.count(b"[") + data.count(b"{") > 1000

    def convert(self, chunk, line):
        """The chunk as PostgreSQL's COPY takes it. `line`: of its first record."""
        if len(chunk) <= RECORD_LIMIT and not self.suspicious(chunk):
            return chunk
        answer = []
        for record in records_of(chunk):
            if len(record) > RECORD_LIMIT:
                raise BadRow(line, None, 1216, "Invalid input line - line exceeds the maximum size of 4 MB", record[:1024])
            answer.append(self._row(record, line) if self.suspicious(record) else record)
            line += record.count(b"\n")
        return b"".join(answer)

    def _row(self, record, line):
        if self.options.get("IGNOREBLANKLINES") and not record.strip(b"\r\n"):
            return b""
        parts = split(record, line)
        if self.options.get("FILLRECORD") and len(parts) < len(self.kinds):
            parts += [(self.null, False) if self.fields.missing(kind) is None else (b"", True) for kind in self.kinds[len(parts):]]
        if len(parts) != len(self.kinds):
            # PostgreSQL's COPY words it, with the column.
            return record.rstrip(b"\r\n") + b"\n"
        answer = []
        for index, ((raw, is_quoted), kind) in enumerate(zip(parts, self.kinds)):
            try:
                value = self.fields.value(raw, is_quoted, kind, self.lengths[index])
            except ValueError as error:
                raise BadRow(line, index, *TEMPORAL_ERRORS[kind == "date"], record.rstrip(b"\r\n"), raw) from error
            if value is None:
                answer.append(self.null)
            else:
                value = self._checked(value, kind, line, index, record)
                answer.append(b'"' + value.replace(b'"', b'""') + b'"')
        return b",".join(answer) + b"\n"

    def _checked(self, value, kind, line, index, record):
        def bad(code, reason):
            return BadRow(line, index, code, reason, record.rstrip(b"\r\n"), value)
        if b"\0" in value:
            raise bad(1204, "Invalid null byte - field longer than 1 byte")
        if self.invalid is not None:
            value = _without_invalid(value, self.invalid)
        if kind in TEMPORAL:
            words = value.decode(errors="replace").strip().lower()
            if re.search(r":\d\d\.\d{7}", words) or re.match(r"[+-]?(infinity|epoch|now|today|tomorrow|yesterday|allballs)", words):
                raise bad(*TEMPORAL_ERRORS[kind == "date"])
        elif kind == "numeric":
            if re.match(rb"\s*[+-]?(nan|inf)", value.lower()):
                raise bad(1207, f"Invalid digit, Value '{chr(value.strip()[0])}', Pos 0, Type: Decimal")
            if not self.roundec:
                # [D] copy-parameters-data-conversion: without ROUNDEC the digits beyond the scale are cut off.
                value = re.sub(rb"(\.\d{%d})\d+$" % self.scales[index], rb"\1", value.strip())
        elif kind == "varbyte":
            if not re.fullmatch(rb"(?:[0-9a-fA-F]{2})*", value):
                raise bad(1219, "Invalid hexadecimal digit in VARBYTE")
            value = value.lower()
        elif kind == "bpchar" and not value.isascii():
            raise bad(1220, "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: " + value[:4].hex(" "))
        elif kind == "super" and _depth(value) > 1000:
            raise bad(1224, "Parsing error: the value exceeds the nesting depth of 1000")
        elif kind == "super" and len(value) > 65535 and re.search(rb'"(?:[^"\\]|\\.){65536}', value):
            raise bad(1224, "String value exceeds the max size of 65535 bytes")
        return value


def _without_invalid(value, by):
    """[D] copy-parameters-data-conversion (ACCEPTINVCHARS): an invalid character becomes as many replacements as it has bytes."""
    answer = b""
    while True:
        try:
            return answer + value.decode().encode()
        except UnicodeDecodeError as error:
            answer += value[:error.start] + by.encode() * (error.end - error.start)
            value = value[error.end:]


def _depth(value):
    """How many levels of arrays and objects a JSON text has; only told when there can be too many."""
    if value.count(b"[") + value.count(b"{") <= 1000:
        return 0
    level = deepest = 0
    for bracket in re.findall(rb"[][{}]", re.sub(rb'"(?:[^"\\]|\\.)*"', b"", value)):
        level += 1 if bracket in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


TEMPORAL_ERRORS = {
    True: (1205, "Invalid Date Format - length must be 10 or more"),
    False: (1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]")
}
