#!/usr/bin/env python3
"""Random event logs through the real program into SQLite, against the oracle and against the simulated source.

    random_logs.py --seeds 2000 [--first 0] [--ways N] [--keep DIR]      many seeds, several to a process
    random_logs.py --replay CASE.jsonl [--plain]                        one log, for instance a shrunk one

Each group of seeds runs in every way (decode workers, rows a batch). A failing seed is run alone, then its log is shrunk by
leaving messages out for as long as the program and the oracle still disagree, and written beside the command to replay it.
The program: $CDCRT_BINARY, else build/release/bin/cdcrt.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from oracle import canonical, decode, generate, interpreter, judge, routes, targets  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
WAYS = [(workers, rows) for workers in (1, 4) for rows in (None, 1)]
MANIFESTS = {False: "random.toml", True: "random-plain.toml"}
PATIENCE = 300  # seconds a process may take


def binary():
    return os.environ.get("CDCRT_BINARY", os.path.join(PROJECT, "build", "release", "bin", "cdcrt"))


def scratch():
    """Memory-backed where there is such a place: a batch of one row commits for each row."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Run:
    """One run of the program over `messages`: exit code, log, tables, dead letters."""

    def __init__(self, folder, messages, plain, way):
        self.database, self.dead_letters_path = os.path.join(folder, "target.db"), os.path.join(folder, "dead_letters.jsonl")
        events = os.path.join(folder, "events.jsonl")
        for old in (self.database, self.dead_letters_path, self.database + "-wal", self.database + "-shm", self.database + "-journal"):
            if os.path.exists(old):
                os.remove(old)
        with open(events, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(message, ensure_ascii=False) + "\n" for message in messages)
        workers, rows = way
        command = [binary(), "--check-plugins", "--manifest", os.path.join(HERE, "manifests", MANIFESTS[plain]), "--set", f"runtime.decode_workers={workers}"]
        if rows:
            command += ["--set", f"sinks.target.batch.max_rows={rows}"]
        environment = {**os.environ, "CDCRT_TEST_EVENTS": events, "CDCRT_TEST_DATABASE": self.database, "CDCRT_TEST_DEAD_LETTERS": self.dead_letters_path}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE, check=False)
            self.exit_code, self.log = done.returncode, (done.stdout + done.stderr).decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            self.exit_code, self.log = None, f"still running after {PATIENCE} s\n" + (late.stderr or b"").decode(errors="replace")

    def dead_letters(self):
        found = []
        if os.path.exists(self.dead_letters_path):
            with open(self.dead_letters_path, encoding="utf-8") as file:
                found = [json.loads(line) for line in file]
        return {(dead_letter["topic"], dead_letter["partition"], dead_letter["offset"]): dead_letter["reason"] for dead_letter in found}

    def tables(self):
        target = targets.Sqlite(self.database) if os.path.exists(self.database) else None
        return {name: target.rows(name) for name in target.tables()} if target else {}


def canonical_rows(kinds, names, values):
    rows = []
    for row in values:
        cells = {}
        for name, value in zip(names, row):
            try:
                cells[name] = canonical.text_of(kinds.get(name, "string"), value, zero_sign=False)
            except (ValueError, ArithmeticError):
                cells[name] = f"not readable as {kinds.get(name)}: {value!r}"
        rows.append(cells)
    return rows


def unsigned_zero(rows, kinds):
    """SQLite has no -0.0."""
    return [{name: "0.0" if text == "-0.0" and kinds[name].startswith("float") else text for name, text in row.items()} for row in rows]


def verdict(messages, plain):
    """What the oracle says: (tables, dead letters)."""
    return interpreter.interpret(messages, routes.load(os.path.join(HERE, "manifests", MANIFESTS[plain])))


def differences(run, tables, dead_letters, logs=()):
    """By table name: what differs between the run, the oracle and (for whole logs) the simulated source."""
    found = collections.defaultdict(list)
    code = 4 if run.dead_letters() else 0
    if run.exit_code != code:
        found["*"].append(f"exit code {run.exit_code}, expected {code}:\n{run.log[-2000:]}")
    actual = run.tables()
    rows_of = {}
    for name, table in tables.items():
        short = name.partition(".")[2]
        names, values = actual.get(short, ([], []))
        kinds = {column: of.type.kind for column, of in table.columns.items()}
        rows_of[name] = canonical_rows(kinds, names, values)
        # A column whose type a route gives may be made before its first value; one whose values a truncate took may not be made.
        empty = {column for place, column in enumerate(names) if all(row[place] is None for row in values)}
        empty |= {column for column in kinds if all(row.get(column) is None for row in table.all_rows())}
        if short in actual and set(names) - empty != set(kinds) - empty:
            found[name].append(f"{name}: columns {sorted(names)}, expected {sorted(kinds)}")
        found[name] += judge.between(name, unsigned_zero(judge.oracle_rows(table), kinds), kinds, rows_of[name])
    for name, state in ((name, state) for log in logs for name, state in log.state().items()):
        state = {**state, "rows": unsigned_zero(state["rows"], state["columns"])}
        found[name] += judge.against_source(name, state, rows_of.get(name, []))
    wanted = {(dead_letter.topic, dead_letter.partition, dead_letter.offset): dead_letter.reason for dead_letter in dead_letters}
    moot = {(dead_letter.topic, dead_letter.partition, dead_letter.offset) for dead_letter in dead_letters if dead_letter.moot}
    got = run.dead_letters()
    for place in sorted(set(wanted) | set(got)):
        if wanted.get(place) != got.get(place) and not (place in moot and place not in got):
            table = "public." + place[0].rpartition(".")[2]
            found[table].append(f"dead letter {place}: expected {wanted.get(place)}, got {got.get(place)}")
    return {name: lines for name, lines in found.items() if lines}


def mixed(logs):
    """The messages of several logs, taking turns."""
    queues = [iter(log.messages) for log in logs]
    while queues:
        for queue in list(queues):
            message = next(queue, None)
            if message is None:
                queues.remove(queue)
            else:
                yield message


def check_group(seeds, plain, ways):
    """[(seed, way, differences)] of the seeds that fail."""
    logs = {seed: generate.Log(seed, plain) for seed in seeds}
    owner = {name: seed for seed, log in logs.items() for name in log.state()}
    messages, failed = list(mixed(logs.values())), []
    expected = verdict(messages, plain)
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        for way in ways:
            found = differences(Run(folder, messages, plain, way), *expected, logs.values())
            bad = {owner[name] for name in found if name in owner}
            if found and not bad:
                failed.append((None, way, found))
            failed += [(seed, way, {name: lines for name, lines in found.items() if owner.get(name) in (None, seed)}) for seed in sorted(bad)]
    return failed


def still_fails(folder, messages, plain, way):
    return differences(Run(folder, messages, plain, way), *verdict(messages, plain))


def shrink(messages, plain, way):
    """As few messages as still make program and oracle disagree: ever smaller runs of messages are left out."""
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        if not still_fails(folder, messages, plain, way):
            return None
        size = len(messages) // 2
        while size:
            place = 0
            while place < len(messages):
                fewer = messages[:place] + messages[place + size:]
                if fewer and still_fails(folder, fewer, plain, way):
                    messages = fewer
                else:
                    place += size
            size //= 2
        return messages, still_fails(folder, messages, plain, way)


def show(found, limit=12):
    lines = [line for of_table in found.values() for line in of_table]
    print(*("    " + line for line in lines[:limit]), sep="\n")
    if len(lines) > limit:
        print(f"    ... and {len(lines) - limit} more")


def report(seed, plain, way, found, keep):
    print(f"seed {seed}{' without schemas' if plain else ''}, {way[0]} workers, {way[1] or 'default'} rows a batch:")
    show(found)
    if seed is None:
        return
    shrunk = shrink(generate.Log(seed, plain).messages, plain, way)
    if shrunk is None:
        print("    the program and the oracle agree when this seed runs alone")
        return
    messages, left = shrunk
    path = os.path.join(keep, f"seed-{seed}{'-plain' if plain else ''}.jsonl")
    os.makedirs(keep, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(message, ensure_ascii=False) + "\n" for message in messages)
    print(f"  shrunk to {len(messages)} messages:")
    show(left)
    rows = f" --rows {way[1]}" if way[1] else ""
    print(f"  replay: python3 tests/oracle/random_logs.py --replay {path} --workers {way[0]}{rows}{' --plain' if plain else ''}")


def replay(arguments):
    messages = list(decode.read_messages(arguments.replay))
    folder = tempfile.mkdtemp(prefix="cdcrt-replay-")
    run = Run(folder, messages, arguments.plain, (arguments.workers, arguments.rows))
    found = differences(run, *verdict(messages, arguments.plain))
    print(run.log)
    show(found, 1000)
    print(f"they differ; events, target and dead letters in {folder}" if found else "they agree")
    if not found:
        shutil.rmtree(folder)
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("CDCRT_RANDOM_SEEDS", "1000")), help="default: $CDCRT_RANDOM_SEEDS, else 1000")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--group", type=int, default=50, help="seeds in one process")
    parser.add_argument("--ways", type=int, default=len(WAYS), help="only the first N of: workers 1 and 4, default batches and one row")
    parser.add_argument("--failures", type=int, default=5, help="failing seeds to shrink")
    parser.add_argument("--keep", default="random-log-failures", help="folder for shrunk logs")
    parser.add_argument("--replay")
    parser.add_argument("--plain", action="store_true", help="with --replay: the log is without schemas")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rows", type=int)
    arguments = parser.parse_args()
    if not os.access(binary(), os.X_OK):
        raise SystemExit(f"no program at {binary()}: build it, or set CDCRT_BINARY")
    if arguments.replay:
        return replay(arguments)
    began, failed, last = time.monotonic(), [], arguments.first + arguments.seeds
    groups = [(range(first, min(first + arguments.group, last)), plain)
              for first in range(arguments.first, last, arguments.group) for plain in (False, True)]
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        waiting = [(pool.submit(check_group, seeds, plain, WAYS[:arguments.ways]), plain) for seeds, plain in groups]
        for future, plain in waiting:
            failed += [(seed, plain, way, found) for seed, way, found in future.result()]
    shown = {}
    for seed, plain, way, found in failed:
        shown.setdefault((seed, plain), (way, found))
    for (seed, plain), (way, found) in list(shown.items())[:arguments.failures]:
        report(seed, plain, way, found, arguments.keep)
    print(f"{arguments.seeds} seeds with and without schemas, {arguments.ways} ways each, in {time.monotonic() - began:.0f} s: "
          f"{len(shown) or 'none'} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
