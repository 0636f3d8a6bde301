"""Generated events in a broker, and the rows that they must end in."""

import os
import shutil
import subprocess
import sys

from live import PROJECT

TABLES = ("customers", "orders", "items", "visits")
PARTITIONS = 4
COMPRESSIONS = ("none", "lz4", "zstd", "snappy", "gzip")


def topics(compression="none"):
    return tuple(f"{'bench' if compression == 'none' else compression}.shop.{table}" for table in TABLES)


class Load:
    """Produces `events` events once for each of `compressions`: the construction returns when the broker has them all."""

    def __init__(self, kafka, build, work, events, schemas=True, seed=1, compressions=("none",)):
        self.events, self.expected = events, os.path.join(work, "expected")
        pieces = os.path.join(work, "pieces")
        subprocess.run([os.path.join(build, "bin", "generate_events"), "--events", str(events), "--seed", str(seed), "--pieces", pieces,
                        "--expected", self.expected, *([] if schemas else ["--no-schemas"])], check=True)
        for compression in compressions:
            for piece, topic in zip(topics(), topics(compression)):
                kafka.create_topic(topic, PARTITIONS)
                for partition in range(PARTITIONS):
                    kafka.produce_file(topic, os.path.join(pieces, f"{piece}-{partition}"), partition, properties={"compression.codec": compression})
        shutil.rmtree(pieces)

    def differences(self, postgresql, database):
        """What the oracle says of the tables in schema shop; empty: they equal the generator's state."""
        compare = os.path.join(PROJECT, "tests", "oracle", "compare.py")
        done = subprocess.run([sys.executable, compare, "--expected", self.expected, "--target", "postgresql:" + postgresql.connection(database)],
                              capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:]
