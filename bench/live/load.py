"""Generated events in a broker, and the rows that they must end in."""

import os
import shutil
import subprocess
import sys

from live import PROJECT

TABLES = ("customers", "orders", "items", "visits")
TOPICS = tuple("bench.shop." + table for table in TABLES)
PARTITIONS = 4


class Load:
    """Produces `events` events once: the construction returns when the broker has them all."""

    def __init__(self, kafka, build, work, events, schemas=True, seed=1):
        self.events, self.expected = events, os.path.join(work, "expected")
        pieces = os.path.join(work, "pieces")
        subprocess.run([os.path.join(build, "bin", "generate_events"), "--events", str(events), "--seed", str(seed), "--pieces", pieces,
                        "--expected", self.expected, *([] if schemas else ["--no-schemas"])], check=True)
        for topic in TOPICS:
            kafka.create_topic(topic, PARTITIONS)
            for partition in range(PARTITIONS):
                kafka.produce_file(topic, os.path.join(pieces, f"{topic}-{partition}"), partition)
        shutil.rmtree(pieces)

    def differences(self, postgresql, database):
        """What the oracle says of the tables in schema shop; empty: they equal the generator's state."""
        compare = os.path.join(PROJECT, "tests", "oracle", "compare.py")
        done = subprocess.run([sys.executable, compare, "--expected", self.expected, "--target", "postgresql:" + postgresql.connection(database)],
                              capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:]
