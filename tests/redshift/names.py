"""Names of up to 127 bytes on a PostgreSQL that keeps 63: longer ones become a prefix and a digest there.

[D] r_names: names have up to 127 bytes, longer ones are cut; ASCII is folded to lower case even in quotes, unless
enable_case_sensitive_identifier is on. [C] estuary materialize-redshift: cut at a boundary of characters."""

import hashlib

LIMIT, KEPT = 127, 63


def cut(name):
    raw = name.encode()
    return name if len(raw) <= LIMIT else raw[:LIMIT].decode(errors="ignore")


class Names:
    """The mapping of one backend, shared by all sessions: a digest decides, so no order matters."""

    def __init__(self):
        self.long = {}  # short -> long

    def short(self, name):
        """What the backend calls `name`."""
        name = cut(name)
        raw = name.encode()
        if len(raw) <= KEPT:
            return name
        short = raw[:40].decode(errors="ignore") + "~" + hashlib.sha256(raw).hexdigest()[:20]
        self.long[short] = name
        return short

    def back(self, raw):
        """The client's name for bytes of a backend's name."""
        if b"~" not in raw:
            return raw
        return self.long.get(raw.decode(errors="replace"), None).encode() if raw.decode(errors="replace") in self.long else raw


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    """A string for the backend, which has backslash escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
