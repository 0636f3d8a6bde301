"""A program that runs to its end: how long it took, and what it used."""

import os
import subprocess
import time


def run(command, log):
    """(seconds, resource usage) of a process that must end with 0; what it says goes to the file `log`."""
    began = time.monotonic()
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        with open(log, encoding="utf-8", errors="replace") as file:
            raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{file.read()[-4000:]}")
    return time.monotonic() - began, used
