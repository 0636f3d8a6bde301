"""Generated events as files, one for each partition, each cut in two: a beginning that makes every process meet every table, and the rest."""

import os
import subprocess

from live.load import Load

END = b"\x01"  # of a message, as kcat is given them


class Pieces(Load):
    """Rows as Load tells them; the events are produced into topics of their own for each run. `first`: the share of the beginning."""

    def __init__(self, build, work, events, first=0.05, seed=1):  # pylint: disable=super-init-not-called
        self.workload, self.events, self.expected, self.sums = "pieces", events, os.path.join(work, "expected-pieces"), None
        self.folder = os.path.join(work, "pieces")
        subprocess.run([os.path.join(build, "bin", "generate_events"), "--events", str(events), "--seed", str(seed), "--no-schemas", "--pieces", self.folder,
                        "--expected", self.expected], check=True)
        self.tables = self.types_told()
        self.files = [(name.rpartition("-")[0], int(name.rpartition("-")[2]), *self._cut(os.path.join(self.folder, name), first))
                      for name in sorted(os.listdir(self.folder))]
        self.rest = sum(count for *_, count in self.files)

    def _cut(self, path, first):
        """(beginning, rest, events in the rest)"""
        with open(path, "rb") as file:
            messages = file.read().split(END)[:-1]
        count = max(1, round(len(messages) * first))
        for name, part in ((".first", messages[:count]), (".rest", messages[count:])):
            with open(path + name, "wb") as file:
                file.write(END.join(part) + END)
        os.remove(path)
        return path + ".first", path + ".rest", len(messages) - count

    def names(self, run):
        return sorted({f"{run}.{topic.partition('.')[2]}" for topic, *_ in self.files})

    def produce(self, kafka, run, rest):
        """The beginnings, or the rest, into the topics of `run`."""
        kafka.produce_files([(f"{run}.{topic.partition('.')[2]}", last if rest else first, partition) for topic, partition, first, last, _ in self.files])
