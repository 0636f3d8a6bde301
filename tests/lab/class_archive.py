"""Archives of the classes that a JVM server loads, made once beside its jars: with one it starts in a third of the processor's time."""

import contextlib
import fcntl
import hashlib
import os
import shutil

from lab import jars


def options(part, run_once):
    """JVM options for a server of the jars of `part`. Where its archive is missing, `run_once(options)` runs a server with these options,
    uses it and ends it in good order; where that fails, it goes without."""
    common = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    path = _place(part)
    if not os.path.exists(path):
        with contextlib.suppress(OSError), open(path + ".lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(path):
                made = f"{path}.{os.getpid()}"
                run_once([*common, f"-XX:ArchiveClassesAtExit={made}"])
                os.rename(made, path)
    return [*common, f"-XX:SharedArchiveFile={path}"] if os.path.exists(path) else common


def _place(part):
    """Another JVM needs another one."""
    java = os.path.realpath(shutil.which("java") or "java")
    with contextlib.suppress(OSError):
        java += f" {os.stat(java).st_size} {os.stat(java).st_mtime_ns}"
    return jars.folder(part) + f"-{hashlib.sha256(java.encode()).hexdigest()[:12]}.jsa"
