"""What COPY's options make of one field: [D] copy-parameters-data-conversion, r_DATEFORMAT_and_TIMEFORMAT_strings, automatic-recognition."""

import datetime
import re

TEXTS = {"varchar", "text", "bpchar"}
MOMENTS = {"date", "timestamp", "timestamptz"}
DEFAULTS = {  # of DATEFORMAT and TIMEFORMAT
    "date": re.compile(rb"\d{4}-\d\d-\d\d"),
    "timestamp": re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?"),
    "timestamptz": re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d?(?::?\d\d)?)?"),
}
PARTS = {"YYYY": r"(?P<Y>\d{4})", "MON": r"(?P<b>[A-Za-z]{3})", "MM": r"(?P<m>\d\d?)", "DD": r"(?P<d>\d\d?)", "HH24": r"(?P<H>\d\d?)",
         "HH": r"(?P<H>\d\d?)", "MI": r"(?P<M>\d\d?)", "SS": r"(?P<S>\d\d?(?:\.\d{1,6})?)"}
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
EPOCHS = {"epochsecs": 1000000, "epochmillisecs": 1000}


class Fields:
    """`options`: of the COPY, capitals -> value. `value` gives None for NULL, and raises ValueError for a moment of another format."""

    def __init__(self, options):
        self.options = options
        self.null = options.get("NULL", "\\N").encode()
        self.date, self.time = options.get("DATEFORMAT"), options.get("TIMEFORMAT")
        # Whether every row has to be looked at; PostgreSQL reads what 'auto' allows.
        self.changes = any(name in options for name in ("BLANKSASNULL", "TRIMBLANKS", "TRUNCATECOLUMNS", "ACCEPTANYDATE", "FILLRECORD")) or (
            self.null == b"")
        self.strict = {kind for kind in MOMENTS if (self.date if kind == "date" else self.time) != "auto"}

    def missing(self, kind):
        """A field that FILLRECORD adds."""
        return b"" if kind in TEXTS and not self.options.get("EMPTYASNULL") else None

    def value(self, value, quoted, kind, length):
        if not quoted and value == self.null:
            return None
        if kind in TEXTS:
            return self._text(value, kind, length)
        if not quoted and not value.strip():
            return None  # empty and blank fields of other types
        if kind in self.strict:
            try:
                return self._moment(value.strip(), kind)
            except ValueError:
                if self.options.get("ACCEPTANYDATE"):
                    return None
                raise
        if kind in MOMENTS and self.options.get("ACCEPTANYDATE") and not _exists(value):
            return None
        return value

    def _text(self, value, kind, length):
        options = self.options
        if not value and (options.get("EMPTYASNULL") or self.null == b""):
            return None
        if options.get("BLANKSASNULL") and value and not value.strip():
            return None
        if options.get("TRIMBLANKS") and kind != "bpchar":
            value = value.rstrip()
        if options.get("TRUNCATECOLUMNS") and length is not None and len(value) > length:
            value = value[:length].decode(errors="ignore").encode()
        return value

    def _moment(self, value, kind):
        form = self.date if kind == "date" else self.time
        if form is None:
            if not DEFAULTS[kind].fullmatch(value):
                raise ValueError(value)
            return value
        if form in EPOCHS:
            moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=int(float(value) * EPOCHS[form]))
            return moment.isoformat(" ").encode() + (b"+00" if kind == "timestamptz" else b"")
        return _by_format(value.decode(errors="replace"), form)


def _by_format(text, form):
    pattern = "".join(PARTS.get(part.upper(), re.escape(part)) for part in re.split(r"(YYYY|MON|MM|DD|HH24|HH|MI|SS)", form, flags=re.IGNORECASE))
    match = re.fullmatch(pattern, text.strip())
    if not match:
        raise ValueError(text)
    found = match.groupdict()
    month = MONTHS.index(found["b"].upper()) + 1 if found.get("b") else int(found.get("m") or 1)
    second, _, fraction = (found.get("S") or "0").partition(".")
    moment = datetime.datetime(int(found["Y"]), month, int(found.get("d") or 1), int(found.get("H") or 0), int(found.get("M") or 0), int(second),
                               int((fraction or "0").ljust(6, "0")))
    return moment.isoformat(" ").encode()


def _exists(value):
    """Whether a moment as 'auto' reads it is one; of those that begin with year, month and day."""
    match = re.match(rb"\s*(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?):(\d\d)(?::(\d\d))?)?", value)
    try:
        return match is not None and bool(datetime.datetime(*(int(part or 0) for part in match.groups())))
    except ValueError:
        return False
