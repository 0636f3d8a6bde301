#!/usr/bin/env python3
"""Answers the interpreter with the packages of tests/requirements.txt, for the servers of tests that are Python programs with packages
of their own (the test Redshift, moto); the tests themselves need the standard library only. Named on the command line, another file of
requirements has an environment of its own.

A virtual environment outside of the tree: $CDCRT_PYTHON_ENVIRONMENT, else $XDG_CACHE_HOME/cdcrt/python, else ~/.cache/cdcrt/python, in a
folder named after the content of the requirements and the version of Python. It is made when it is not there, with pip's own settings."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

REQUIREMENTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "requirements.txt")


def home(requirements=REQUIREMENTS):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    with open(requirements, "rb") as file:
        digest = hashlib.sha256(file.read() + sys.version.encode()).hexdigest()[:16]
    return os.path.join(os.environ.get("CDCRT_PYTHON_ENVIRONMENT") or os.path.join(cache, "cdcrt", "python"), digest)


def interpreter(requirements=REQUIREMENTS):
    """The path of the interpreter; the environment is made when it is not there. Two processes that make it at once both succeed."""
    place = home(requirements)
    if not os.path.exists(os.path.join(place, "complete")):
        _make(place, requirements)
    return os.path.join(place, "bin", "python")


def _make(place, requirements):
    os.makedirs(os.path.dirname(place), exist_ok=True)
    # Made in place: an environment cannot be moved. Whoever comes second waits for the lock's end.
    with open(place + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(os.path.join(place, "complete")):
            return
        shutil.rmtree(place, ignore_errors=True)
        with tempfile.TemporaryFile("w+") as log:
            for arguments in ([sys.executable, "-m", "venv",
                               place], [os.path.join(place, "bin", "python"), "-m", "pip", "install", "--quiet", "-r", requirements]):
                if subprocess.run(arguments, check=False, stdout=log, stderr=subprocess.STDOUT).returncode:
                    log.seek(0)
                    raise SystemExit(
                        f"error: the Python packages of {requirements} could not be installed: check pip's settings and the network.\n{log.read()[-2000:]}"
                    )
        with open(os.path.join(place, "complete"), "w", encoding="ascii"):
            pass


if __name__ == "__main__":
    print(interpreter(*sys.argv[1:2]))
