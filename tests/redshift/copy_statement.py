"""COPY's grammar: [D] r_COPY and its parameter pages."""

import re
from dataclasses import dataclass, field

from redshift.create_table import names_in, syntax
from redshift.errors import SqlError
from redshift.rules import rejection

FLAGS = {
    "MANIFEST", "GZIP", "BZIP2", "LZOP", "ZSTD", "ACCEPTANYDATE", "BLANKSASNULL", "EMPTYASNULL", "ESCAPE", "EXPLICIT_IDS", "FILLRECORD",
    "IGNOREBLANKLINES", "REMOVEQUOTES", "ROUNDEC", "TRIMBLANKS", "TRUNCATECOLUMNS", "NOLOAD", "IGNOREALLERRORS", "ENCRYPTED", "SSH"
}
STRINGS = {
    "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "CREDENTIALS", "REGION", "DATEFORMAT", "TIMEFORMAT", "DELIMITER", "QUOTE",
    "NULL", "MASTER_SYMMETRIC_KEY"
}
NUMBERS = {"IGNOREHEADER", "MAXERROR", "COMPROWS", "READRATIO"}
FORMATS = {"CSV", "JSON", "AVRO", "PARQUET", "ORC", "FIXEDWIDTH", "SHAPEFILE", "DELIMITER"}


@dataclass
class Copy:
    name: list                      # parts of the table's name
    table: str                      # for the backend
    columns: list                   # None: all
    bucket: str
    key: str
    options: dict = field(default_factory=dict)   # capitals -> value or True

    def get(self, name, default=None):
        return self.options.get(name, default)


def parse_copy(tokens, translator):
    name, table, place = translator.qualified(tokens, 1)
    columns = None
    if place < len(tokens) and tokens[place].text == "(":
        columns, place = names_in(tokens, place, translator)
    if place + 1 >= len(tokens) or tokens[place].up != "FROM":
        raise syntax(tokens, place)
    if tokens[place + 1].kind != "s":
        raise syntax(tokens, place + 1)
    source = tokens[place + 1].string()
    match = re.fullmatch(r"s3://([^/]+)/(.+)", source)
    if not match:
        raise rejection("copy-file") if source.startswith("/") else rejection("not-emulated", f"COPY from {source.partition(':')[0]}")
    answer = Copy(name, table, columns, match[1], match[2])
    _options(tokens, place + 2, answer.options)
    _check(answer.options)
    return answer


def _value(tokens, place):
    """The place of an option's value: AS is noise."""
    return place + 1 if place < len(tokens) and tokens[place].up == "AS" else place


def _options(tokens, place, options):
    while place < len(tokens):
        word = tokens[place].up
        following = _value(tokens, place + 1)
        if word == "FORMAT":
            if following < len(tokens) and tokens[following].up in FORMATS:
                place = following
                continue
            raise syntax(tokens, following)
        if word in ("CSV", "PARQUET", "ORC", "AVRO", "JSON", "FIXEDWIDTH", "SHAPEFILE"):
            options["FORMAT"] = word
            place += 1
            if word in ("JSON", "AVRO", "FIXEDWIDTH") and _value(tokens, place) < len(tokens) and tokens[_value(tokens, place)].kind == "s":
                place = _value(tokens, place) + 1
        elif word == "IAM_ROLE":
            if following >= len(tokens) or not (tokens[following].kind == "s" or tokens[following].up == "DEFAULT"):
                raise syntax(tokens, following)
            options[word] = tokens[following].string() if tokens[following].kind == "s" else "default"
            place = following + 1
        elif word in STRINGS:
            if following >= len(tokens) or tokens[following].kind != "s":
                raise syntax(tokens, following)
            options[word] = tokens[following].string()
            place = following + 1
        elif word in NUMBERS:
            if following >= len(tokens) or tokens[following].kind != "n":
                raise syntax(tokens, following)
            options[word] = int(tokens[following].text)
            place = following + 1
        elif word in ("COMPUPDATE", "STATUPDATE"):
            options[word] = True
            place += 1
            if place < len(tokens) and tokens[place].up in ("ON", "TRUE", "OFF", "FALSE", "PRESET"):
                options[word] = tokens[place].up in ("ON", "TRUE", "PRESET")
                place += 1
        elif word == "ACCEPTINVCHARS":
            options[word] = tokens[following].string() if following < len(tokens) and tokens[following].kind == "s" else "?"
            place = following + 1 if following < len(tokens) and tokens[following].kind == "s" else place + 1
        elif word == "ENCODING":
            options[word] = tokens[following].up.strip("'").upper() if following < len(tokens) else ""
            place = following + 1
        elif word in FLAGS:
            options[word] = True
            place += 1
        else:
            raise rejection("copy-option", tokens[place].text)


def _check(options):
    if options.get("FORMAT") == "CSV":
        for name in ("REMOVEQUOTES", "ESCAPE", "FIXEDWIDTH"):
            if name in options:
                raise rejection("copy-csv-conflict", name)
    if not ("IAM_ROLE" in options or "CREDENTIALS" in options or {"ACCESS_KEY_ID", "SECRET_ACCESS_KEY"} <= options.keys()):
        raise rejection("copy-credentials")
    if not 0 <= options.get("MAXERROR", 0) <= 100000:
        raise SqlError("22023", "MAXERROR must be between 0 and 100000")
    if options.get("FORMAT") != "CSV":
        raise rejection("not-emulated", f"COPY with format {options.get('FORMAT', 'delimited text')}")
    if "IGNOREALLERRORS" in options and "MAXERROR" in options:
        raise rejection("copy-errors-conflict")
    for name in ("BZIP2", "LZOP", "ZSTD", "ENCRYPTED", "SSH"):
        if name in options:
            raise rejection("not-emulated", f"COPY's option {name}")
    if options.get("ENCODING", "UTF8") not in ("UTF8", "UTF"):
        raise rejection("not-emulated", f"COPY's ENCODING {options['ENCODING']}")
    if options.get("DELIMITER", ",") != "," or options.get("QUOTE", '"') != '"' or "MASTER_SYMMETRIC_KEY" in options:
        raise rejection("not-emulated", "COPY's options DELIMITER, QUOTE and MASTER_SYMMETRIC_KEY")
    # [D] copy-parameters-data-conversion: these words in small letters only.
    for name, words in (("TIMEFORMAT", ("auto", "epochsecs", "epochmillisecs")), ("DATEFORMAT", ("auto",))):
        if options.get(name, "").lower() in words and options[name] not in words:
            raise rejection("copy-format-case", options[name])
