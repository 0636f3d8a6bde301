"""Faults on command, and what the front has seen. Shared by all sessions; every method is safe from any thread."""

import itertools
import re
import threading
import time

KINDS = {
    "1023": "the statement fails with a serializable isolation violation",
    "1018": "the statement fails with `Relation does not exist` (a table created after the snapshot)",
    "conflict": "the statement fails with a conflict with a concurrent transaction",
    "error": "the statement fails with `state` and `text`",
    "lost_before": "the connection is reset before the statement reaches the database",
    "lost_after": "the connection is reset after the statement has been executed, before its answer",
    "slow": "the statement waits `seconds` first",
    "copy_file_missing": "COPY does not find one of its files",
    "copy_bad_row": "COPY refuses a row of its first file (`line`, 1 when not given)",
    "expired_credentials": "COPY's credentials have expired",
    "denied": "S3 denies COPY",
}
_SECRETS = re.compile(
    r"((?:secret_access_key|access_key_id|session_token|password|credentials|aws_secret_access_key|token)\s*(?:as\s*)?=?\s*)'(?:[^'\\]|\\.|'')*'",
    re.IGNORECASE)


def redacted(text):
    return _SECRETS.sub(r"\1'***'", text)


def shortened(text):
    """The text without secrets; of a very long one its begin and end. Redacted first: a cut could leave a part of a secret."""
    text = redacted(text[:1 << 20])
    return text if len(text) < 4000 else text[:3000] + " ... " + text[-500:]


class Faults:
    """A fault: kind; at = statement | commit | copy; nth (1: the next) or every; times (None: with nth once, with every always);
    match: a regular expression that the statement has to contain, and only such statements count."""

    def __init__(self):
        self._lock, self._faults, self._numbers = threading.Lock(), {}, itertools.count(1)

    def add(self, kind, at="statement", nth=None, every=None, times=None, match=None, **more):
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are: {', '.join(KINDS)}")
        if at not in ("statement", "commit", "copy"):
            raise ValueError("at: statement, commit or copy")
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = {
                "id": number,
                "kind": kind,
                "at": at,
                "nth": nth or (None if every else 1),
                "every": every,
                "times": times,
                "match": match,
                "seen": 0,
                "hit": 0,
                **more
            }
            return number

    def clear(self, number=None):
        with self._lock:
            if number is None:
                self._faults.clear()
            else:
                self._faults.pop(number, None)

    def listed(self):
        with self._lock:
            return [dict(fault) for fault in self._faults.values()]

    def due(self, at, text):
        """The faults that hit this statement now."""
        with self._lock:
            answer = []
            for fault in self._faults.values():
                if fault["at"] != at or (fault["match"] and not re.search(fault["match"], text, re.IGNORECASE | re.DOTALL)):
                    continue
                fault["seen"] += 1
                hit = fault["seen"] == fault["nth"] if fault["nth"] else fault["seen"] % fault["every"] == 0
                if hit and (fault["times"] is None or fault["hit"] < fault["times"]):
                    fault["hit"] += 1
                    answer.append(dict(fault))
            return answer


class Journal:
    """What has come: statements with their outcome, and rejections. Bounded: the oldest go."""

    def __init__(self, limit=200000):
        self._lock, self.limit = threading.Lock(), limit
        self._statements, self._rejections, self._count = [], [], 0

    def statement(self, session, text):
        with self._lock:
            self._count += 1
            entry = {"n": self._count, "session": session, "text": shortened(text), "state": "", "error": "", "at": time.monotonic(), "seconds": 0.0}
            self._statements.append(entry)
            if len(self._statements) > self.limit:
                del self._statements[:self.limit // 10]
            return entry

    def rejected(self, session, text, error):
        with self._lock:
            self._rejections.append({
                "session": session,
                "rule": error.rule,
                "state": error.state,
                "error": error.text,
                "text": shortened(text)
            })

    def statements(self):
        with self._lock:
            return [dict(entry) for entry in self._statements]

    def rejections(self):
        with self._lock:
            return [dict(entry) for entry in self._rejections]

    def clear(self):
        with self._lock:
            self._statements.clear()
            self._rejections.clear()
