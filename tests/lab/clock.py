"""Programs that have another time than this machine."""

import glob


def is_there():
    return bool(_libraries())


def clock_of(difference):
    """The environment of a program whose clock is ahead of this machine's by `difference` ("+20m", "-3h"); how long things take stays as it is."""
    return {"LD_PRELOAD": _libraries()[0], "FAKETIME": difference, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _libraries():
    return glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
