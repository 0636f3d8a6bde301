#!/usr/bin/env python3
"""Brings the jars of jars/*/pom.xml once, with the machine's Maven, and answers where they are.

They are kept outside of the tree, in $CDCRT_JARS, else $XDG_CACHE_HOME/cdcrt/jars, else ~/.cache/cdcrt/jars, in a folder named after
the content of the pom files. Two processes that bring them at once both succeed. Where they are, nothing is asked of the network.
"""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jars")
SETS = (("kafka", "connect"), ("s3",), ("drivers",), ("kafka-3",))  # what is brought together: Connect takes jars of Kafka's
PARTS = tuple(part for parts in SETS for part in parts)


def home(parts=SETS[0]):
    given = os.environ.get("CDCRT_JARS")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    digest = hashlib.sha256()
    for part in parts:
        with open(os.path.join(HERE, part, "pom.xml"), "rb") as file:
            digest.update(file.read())
    return os.path.join(given or os.path.join(cache, "cdcrt", "jars"), digest.hexdigest()[:16])


def folder(part):
    """The folder of the jars of `part` (kafka, connect, s3, drivers, kafka-3); they are brought when they are not there."""
    parts = next(parts for parts in SETS if part in parts)
    if not os.path.isdir(home(parts)):
        bring(home(parts), parts)
    return os.path.join(home(parts), part)


def bring(place, parts=SETS[0]):
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bringing-", dir=os.path.dirname(place)) as work:
        whole = os.path.join(work, "jars")
        for part in parts:
            _copy_dependencies(part, os.path.join(whole, part), os.path.join(work, part))
        # Connect's dependencies mix versions of jackson that do not work together.
        for jar in glob.glob(os.path.join(whole, "connect", "jackson-*.jar")):
            os.remove(jar)
        for jar in glob.glob(os.path.join(whole, "kafka", "jackson-*.jar")):
            shutil.copy(jar, os.path.join(whole, "connect"))
        try:
            os.rename(whole, place)
        except OSError:
            if not os.path.isdir(place):
                raise


def _copy_dependencies(part, target, work):
    os.makedirs(work)
    shutil.copy(os.path.join(HERE, part, "pom.xml"), work)
    done = subprocess.run(["mvn", "--batch-mode", "--no-transfer-progress", "dependency:copy-dependencies", "-DincludeScope=runtime",
                           f"-DoutputDirectory={target}"], cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise SystemExit(f"error: Maven could not bring the jars of {part}: check its settings and the network.\n" + "\n".join(lines[:10]))


if __name__ == "__main__":
    for name in PARTS:
        print(folder(name))
    sys.exit(0)
