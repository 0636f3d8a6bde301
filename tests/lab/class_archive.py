"""Archives of the classes that a JVM server loads, made once beside its jars: with one it starts in a third of the processor's time."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys

from lab import jars


def options(part, run_once):
    """JVM options for a server of the jars of `part`. Where its archive is missing, `run_once(options)` runs a server with these options,
    uses it and ends it in good order. Where that fails, an empty file stands in the archive's place, and servers go without."""
    common = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    path = _place(part)
    if not os.path.exists(path):
        with contextlib.suppress(OSError), open(path + ".lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(path):
                _make(path, lambda made: run_once([*common, f"-XX:ArchiveClassesAtExit={made}"]))
    usable = os.path.exists(path) and os.path.getsize(path) > 0
    return [*common, f"-XX:SharedArchiveFile={path}"] if usable else common


def _make(path, run):
    made = f"{path}.{os.getpid()}"
    try:
        run(made)
        os.rename(made, path)
    except Exception as error:  # another JVM than was thought of, no room: tests do not need it
        print(f"no archive of classes, servers start slower: {error}", file=sys.stderr)
        with open(path, "wb"):
            pass


def _place(part):
    """Another JVM needs another one."""
    java = os.path.realpath(shutil.which("java") or "java")
    with contextlib.suppress(OSError):
        java += f" {os.stat(java).st_size} {os.stat(java).st_mtime_ns}"
    return jars.folder(part) + f"-{hashlib.sha256(java.encode()).hexdigest()[:12]}.jsa"
