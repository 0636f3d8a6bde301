#!/usr/bin/env python3
"""Random logs through the real program in many ways, which must all leave the same rows: those of the oracle.

    differential.py --seeds 2000 [--first 0] [--keep DIR]        many seeds, several to a process
    differential.py --minutes 480                                a night: seeds from a random place on, until the time is up
    differential.py --replay CASE.jsonl                          one log in one way, for instance a shrunk one

The ways: SQLite or PostgreSQL; other interleavings of the partitions; other batches and workers; the log coming in parts with restarts
between them, some of them kills; rows that the target refuses for a while, and `dlq replay` once it takes them. The logs: with schemas and
without, with keys and without, in upsert and in append mode. A failing seed is run alone, then its log is shrunk by leaving messages out for
as long as it still fails, and written with its way beside the command to replay it. The program: $CDCRT_BINARY, else build/release/bin/cdcrt.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import random as randoms
import subprocess
import sys
import tempfile
import time
import tomllib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import postgresql  # noqa: E402
from oracle import databases, generate, interpreter, judge, random_adopted, routes  # noqa: E402
from oracle.random_logs import PATIENCE, binary, canonical_rows, scratch, unsigned_zero  # noqa: E402

COLUMNS = """
"*_day" = { type = "date", parse = "epoch_days" }
"*_us" = { type = "timestamp", parse = "epoch_us" }
"*_price" = { type = "decimal(14,4)" }
"*_blob" = { type = "bytes", parse = "base64" }
"""


@dataclasses.dataclass
class Way:
    """How a log is applied."""
    target: str
    order: str = ""            # seed of another interleaving of the partitions; "": as it stands
    workers: int = 1
    rows: int = 0              # a batch; 0: the default
    cuts: tuple = ()           # the log comes in parts that end at these shares of it
    kills: tuple = ()          # seconds after which a run over a part is killed, once
    refuses: bool = False      # rows are refused in the part after the first one
    late: bool = False         # the dead letters are replayed after the last part, not after the one that refused

    def __str__(self):
        words = [self.target] + ([f"interleaved {self.order}"] if self.order else []) + [f"{self.workers} workers"]
        words += [f"{self.rows} rows a batch"] if self.rows else []
        words += [f"parts {self.cuts}"] if self.cuts else []
        words += [f"kills after {self.kills}"] if self.kills else []
        words += ["refused, then replayed" + (" at the end" if self.late else "")] if self.refuses else []
        return ", ".join(words)


def ways(seed, refuses, targets):
    """The ways of a group of logs: as it stands, and torn or refused on each target."""
    random = randoms.Random(f"ways {seed}")
    def torn(target, refuses):
        cuts = sorted(round(random.uniform(0.1, 0.9), 2) for _ in range(2 if refuses else random.randint(0, 3)))
        kills = [round(random.uniform(0.01, 0.25), 3) for _ in range(random.randint(0, 2))] if not refuses else []
        return Way(target, str(random.randint(1, 10**6)), random.choice([1, 2, 4]), random.choice([0, 1, 2, 3, 7, 50]), tuple(cuts), tuple(kills), refuses,
                   random.random() < 0.5)
    return [Way("sqlite")] + [torn(target, refuses) for target in targets]


def interleaved(messages, order):
    """The same messages in another order between the partitions; the order within each stays. What becomes of one log does not depend on the others."""
    if not order:
        return list(messages)
    logs = collections.defaultdict(lambda: collections.defaultdict(list))
    for message in messages:
        logs[message["topic"].rpartition("_")[0]][message["topic"], message["partition"]].append(message)
    ordered = [one_interleaved(list(log.values()), randoms.Random(f"{order} {name}")) for name, log in logs.items()]
    return taking_turns(ordered)


def one_interleaved(queues, random):
    queues, mixed = [list(reversed(queue)) for queue in queues], []
    lagging = random.randrange(len(queues)) if random.random() < 0.4 else None
    while any(queues):
        able = [place for place, queue in enumerate(queues) if queue]
        if lagging in able and len(able) > 1 and random.random() < 0.97:
            able.remove(lagging)
        queue = queues[random.choice(able)]
        for _ in range(min(len(queue), random.choice([1, 1, 1, 4, 8]))):
            mixed.append(queue.pop())
    return mixed


def taking_turns(logs):
    """The messages of several logs, spread so that a cut goes through all of them at the same share."""
    places = [((place + 0.5) / len(log), number, place) for number, log in enumerate(logs) for place in range(len(log))]
    return [logs[number][place] for _, number, place in sorted(places)]


class Case:
    """Messages, what they are to leave behind, and whose they are."""

    def __init__(self, messages, plain, appended, steady, dropped, logs=()):
        self.messages, self.plain, self.appended, self.steady, self.dropped, self.logs = messages, plain, appended, steady, dropped, logs
        self.tables, self.dead_letters = interpreter.interpret(messages, routes.Manifest(tomllib.loads(self.manifest("sqlite", 'plugin = "odbc"'))))
        self.first = {}  # of the tables in append mode: what the first way left
        self.lines = {}

    def line(self, message):
        place = message["topic"], message["partition"], message["offset"]
        if place not in self.lines:
            self.lines[place] = json.dumps(message, ensure_ascii=False) + "\n"
        return self.lines[place]

    def manifest(self, target, sink):
        columns = COLUMNS if self.plain else ""
        text = f'[pipeline]\nname = "differential"\n[sources.events]\nplugin = "file"\npaths = ["events.jsonl"]\ntopics = ["rnd.*"]\nformat.plugin = "debezium-json"\n'
        text += f'[sinks.target]\n{sink}\n[dead_letters]\npath = "dead_letters.jsonl"\nmax_ratio = 1.0\n'
        text += f"[routes.rows]\nmatch = [\"public.*\"]\n[routes.rows.columns]{columns}\n"
        if self.appended:
            text += f"[routes.added]\nmatch = {json.dumps(['public.' + name for name in sorted(self.appended)])}\nmode = \"append\"\n[routes.added.columns]{columns}\n"
        return text


def case_of(seeds, plain, whole):
    logs = {seed: generate.Log(seed, plain, whole=whole) for seed in seeds}
    appended = {table.name for seed, log in logs.items() for table in log.tables if randoms.Random(f"append {table.name}").random() < 0.12}
    steady = {table.name: [column.name for column in table.columns if column.name not in table.altered] for log in logs.values() for table in log.tables}
    dropped = {table.name: table.altered for log in logs.values() for table in log.tables if table.partitions > 1}
    return Case(taking_turns([log.messages for log in logs.values()]), plain, appended, steady, dropped, logs)


class Run:
    """A case in one way, in a folder of its own."""

    def __init__(self, folder, case, way, number, server):
        self.folder, self.case, self.way, self.log, self.trouble = folder, case, way, "", []
        self.database = databases.KINDS[way.target](folder, server, number)
        self.written = 0
        with open(self.path("manifest.toml"), "w", encoding="utf-8") as file:
            file.write(case.manifest(way.target, self.database.sink))
        self.messages = interleaved(case.messages, way.order)
        self.go()
        self.tables = self.database.tables()
        self.database.drop()

    def path(self, name):
        return os.path.join(self.folder, name)

    def go(self):
        kills = list(self.way.kills)
        places = sorted({int(len(self.messages) * share) for share in self.way.cuts} | {len(self.messages)})
        for part, place in enumerate(places):
            refusing = self.way.refuses and part == 1
            if refusing:
                self.database.refuse(self.case.steady)
            with open(self.path("events.jsonl"), "a", encoding="utf-8") as file:
                file.writelines(self.case.line(message) for message in self.messages[self.written:place])
            self.written = place
            if kills:
                self.run(kill_after=kills.pop())
            self.run()
            if refusing:
                self.database.mend()
            if self.way.refuses and (place == len(self.messages) if self.way.late else refusing):
                self.replay()

    def command(self, *arguments):
        with open(self.path("log"), "ab") as log:
            return subprocess.Popen([binary(), *arguments], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder)

    def run(self, kill_after=None):
        arguments = ["--manifest", "manifest.toml", "--set", f"runtime.decode_workers={self.way.workers}"]
        arguments += ["--set", f"sinks.target.batch.max_rows={self.way.rows}"] if self.way.rows else []
        process = self.command(*arguments)
        try:
            code = process.wait(kill_after or PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            if kill_after is None:
                self.complain(f"still running after {PATIENCE} s")
            return
        if code not in (0, 4):
            self.complain(f"exit code {code}")

    def replay(self):
        code = self.command("dlq", "replay", "-m", "manifest.toml").wait(PATIENCE)
        if code not in (0, 4):
            self.complain(f"exit code {code} of dlq replay")

    def complain(self, text):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            self.trouble.append(text + ":\n" + file.read()[-1500:])

    def dead_letters(self):
        found = {}
        if os.path.exists(self.path("dead_letters.jsonl")):
            with open(self.path("dead_letters.jsonl"), encoding="utf-8", errors="replace") as file:
                for line in file:
                    try:
                        dead_letter = json.loads(line)
                    except ValueError:  # the half line of a kill
                        continue
                    found[dead_letter["topic"], dead_letter["partition"], dead_letter["offset"]] = dead_letter["reason"]
        return found


def differences(case, run):
    """By table name: what differs between the run, the oracle and (for whole logs) the simulated source."""
    found = collections.defaultdict(list)
    found["*"] += run.trouble
    rows_of = {}
    for name, table in case.tables.items():
        short = name.partition(".")[2]
        names, values = run.tables.get(short, ([], []))
        kinds = {column: of.type.kind for column, of in table.columns.items() if of.type}
        rows_of[name] = unsigned_zero(canonical_rows(kinds, names, values), {**{n: "" for n in names}, **kinds})
        if short in case.appended:
            rows = case.first.setdefault(short, rows_of[name])
            found[name] += judge.between(name, rows, sorted(kinds), rows_of[name])
            continue
        # A column whose type a route gives may be made before its first value; one whose values a truncate took may not be made.
        empty = {column for place, column in enumerate(names) if all(row[place] is None for row in values)}
        empty |= {column for column in kinds if all(row.get(column) is None for row in table.all_rows())}
        # A column that is first seen, late, after a restart stays where its drop was read before.
        dropped = case.dropped.get(short, set()) - set(kinds) if run.way.cuts or run.way.kills else set()
        if short in run.tables and set(names) - empty - dropped != set(kinds) - empty:
            found[name].append(f"{name}: columns {sorted(names)}, expected {sorted(kinds)}")
        found[name] += judge.between(name, unsigned_zero(judge.oracle_rows(table), {**{n: "" for n in table.columns}, **kinds}), kinds, rows_of[name])
    for log in case.logs.values() if case.logs else ():
        for name, state in log.state().items():
            if name.partition(".")[2] not in case.appended:
                state = {**state, "rows": unsigned_zero(state["rows"], state["columns"])}
                found[name] += judge.against_source(name, state, rows_of.get(name, []))
    if not run.way.refuses:
        dead_letters(case, run, found)
    return {name: lines for name, lines in found.items() if lines}


def dead_letters(case, run, found):
    """Without refusals, what is a dead letter does not depend on the way either."""
    wanted = {(dead_letter.topic, dead_letter.partition, dead_letter.offset): dead_letter.reason for dead_letter in case.dead_letters}
    moot, got = {(dead_letter.topic, dead_letter.partition, dead_letter.offset) for dead_letter in case.dead_letters if dead_letter.moot}, run.dead_letters()
    for place in sorted(set(wanted) | set(got)):
        short = place[0].rpartition(".")[2]
        if short not in case.appended and wanted.get(place) != got.get(place) and not (place in moot and place not in got):
            found["public." + short].append(f"dead letter {place}: expected {wanted.get(place)}, got {got.get(place)}")


def attempt(case, way, number, server):
    with tempfile.TemporaryDirectory(dir=scratch(), prefix="differential-") as folder:
        return differences(case, Run(folder, case, way, number, server))


def check_group(seeds, plain, refuses, targets, server):
    """([(seed, way, differences)] of the seeds that fail, how many ways)"""
    failed, case, tried = [], case_of(seeds, plain, refuses), ways(f"{seeds[0]} {plain} {refuses}", refuses, targets)
    owner = {"public." + table.name: seed for seed, log in case.logs.items() for table in log.tables}
    for way in tried:
        found = attempt(case, way, os.getpid(), server)
        bad = {owner[name] for name in found if name in owner}
        if found and not bad:
            failed.append((None, way, found))
        failed += [(seed, way, {name: lines for name, lines in found.items() if owner.get(name) in (None, seed)}) for seed in sorted(bad)]
    return failed, len(tried)


def subcase(case, messages):
    """A case of fewer messages; what a table in append mode is to hold is said by a run as it stands."""
    return Case(messages, case.plain, case.appended, case.steady, case.dropped)


def fails(case, way, server):
    if case.appended:
        attempt(case, Way("sqlite"), os.getpid(), server)
    return attempt(case, way, os.getpid(), server)


def reproduced(case, way, server):
    """A way in which the case fails by itself, the given one or one like it; None where there is none."""
    random = randoms.Random(str(way))
    for number in range(12):
        if fails(case, way, server):
            return way
        cuts = tuple(sorted(round(min(0.95, max(0.05, cut + random.uniform(-0.1, 0.1))), 2) for cut in way.cuts))
        way = dataclasses.replace(way, cuts=cuts, rows=random.choice([way.rows, 0, 1, 3]), kills=tuple(round(random.uniform(0.01, 0.1), 3) for _ in way.kills))
        if number > 6:
            way = dataclasses.replace(way, order=str(random.randint(1, 10**6)))
    return None


def shrink(case, way, server, seconds=120):
    """As few messages as still fail: ever smaller runs of messages are left out."""
    messages, size, end = case.messages, len(case.messages) // 2, time.monotonic() + seconds
    while size and time.monotonic() < end:
        place = 0
        while place < len(messages):
            fewer = messages[:place] + messages[place + size:]
            if fewer and fails(subcase(case, fewer), way, server):
                messages = fewer
            else:
                place += size
        size //= 2
    return messages


def show(found, limit=12):
    lines = [line for of_table in found.values() for line in of_table]
    print(*("    " + line for line in lines[:limit]), sep="\n")
    if len(lines) > limit:
        print(f"    ... and {len(lines) - limit} more")


def report(seed, plain, way, found, keep, server):
    print(f"seed {seed}{' without schemas' if plain else ''}, {way}:")
    show(found)
    if seed is None:
        return
    case = case_of([seed], plain, way.refuses)
    way = reproduced(case, way, server)
    if way is None:
        print("    no difference when this seed runs alone", flush=True)
        return
    case = subcase(case, shrink(case, way, server))
    path = os.path.join(keep, f"seed-{seed}{'-plain' if plain else ''}-{way.target}.jsonl")
    os.makedirs(keep, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        about = {"plain": plain, "appended": sorted(case.appended), "steady": case.steady, "dropped": {name: sorted(columns) for name, columns in case.dropped.items()}, "way": dataclasses.asdict(way)}
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in [about, *case.messages])
    print(f"  shrunk to {len(case.messages)} messages, {way}:")
    show(fails(case, way, server))
    print(f"  replay: python3 tests/oracle/differential.py --replay {path}", flush=True)


def replay(path, server):
    with open(path, encoding="utf-8") as file:
        about = json.loads(file.readline())
        messages = [json.loads(line) for line in file]
    case, way = Case(messages, about["plain"], set(about["appended"]), about["steady"],
                     {name: set(columns) for name, columns in about.get("dropped", {}).items()}), Way(**about["way"])
    if case.appended:
        attempt(case, Way("sqlite"), os.getpid(), server)
    folder = tempfile.mkdtemp(prefix="differential-replay-")
    found = differences(case, Run(folder, case, way, os.getpid(), server))
    with open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as file:
        print(file.read())
    show(found, 1000)
    print(("they differ" if found else "they agree") + f"; everything is in {folder}")
    return 1 if found else 0


def groups_of(seeds, arguments):
    """(seeds, without schemas, with refusals, targets): every group in one of the four ways that a log may be; some on PostgreSQL as well."""
    for place in range(0, len(seeds), arguments.group):
        group = seeds[place:place + arguments.group]
        number = group[0] // arguments.group
        both = arguments.postgresql and number % arguments.postgresql == 0
        for plain in (False, True):
            yield group, plain, (number // max(arguments.postgresql, 1) + plain) % 2 == 1, ("sqlite", "postgresql") if both else ("sqlite",)


def run_groups(groups, server, jobs, failed, counts):
    """Runs the groups; the seeds that fail are added to `failed`, how many logs were run in how many ways to `counts`."""
    with concurrent.futures.ProcessPoolExecutor(max_workers=jobs) as pool:
        for group, future in [(group, pool.submit(check_group, *group, server)) for group in groups]:
            seeds, plain, refuses, _ = group
            differing, tried = future.result()
            counts["refused, then replayed" if refuses else "torn"] += len(seeds) * tried
            for seed, way, found in differing:
                if (seed, plain) not in failed:
                    print(f"seed {seed}{' without schemas' if plain else ''} differs, {way}", flush=True)
                failed.setdefault((seed, plain), (way, found))


def adopted(first, failed):
    """Some random adopted tables, in a night's run."""
    for target in databases.KINDS:
        for number, problems in random_adopted.run_seeds(target, first, 2).items():
            failed[f"adopted {number}", False] = (target, {"*": problems})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("CDCRT_DIFFERENTIAL_SEEDS", "1800")), help="default: $CDCRT_DIFFERENTIAL_SEEDS, else 1800")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--group", type=int, default=40, help="seeds in one process")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() + 1, help="groups at a time; default: one more than there are cores, since they wait now and then")
    parser.add_argument("--postgresql", type=int, default=5, metavar="N", help="every Nth group runs on PostgreSQL too; 0: none")
    parser.add_argument("--minutes", type=float, help="for as long as this, instead of --seeds")
    parser.add_argument("--failures", type=int, default=5, help="failing seeds to shrink")
    parser.add_argument("--keep", default="differential-failures", help="folder for shrunk logs")
    parser.add_argument("--replay")
    arguments = parser.parse_args()
    if not os.access(binary(), os.X_OK):
        raise SystemExit(f"no program at {binary()}: build it, or set CDCRT_BINARY")
    server = None
    if arguments.postgresql or (arguments.replay and "postgresql" in arguments.replay):
        server = postgresql.Postgresql(settings={"synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"})
    port = server.port if server else None
    try:
        if arguments.replay:
            return replay(arguments.replay, port)
        began, failed, done, counts = time.monotonic(), {}, 0, collections.Counter()
        first = randoms.SystemRandom().randrange(10**6, 10**9) if arguments.minutes and not arguments.first else arguments.first
        while (time.monotonic() - began < arguments.minutes * 60) if arguments.minutes else done < arguments.seeds:
            count = min(20 * arguments.group, arguments.seeds - done) if not arguments.minutes else 4 * arguments.group
            seeds = range(first + done, first + done + count)
            run_groups(groups_of(seeds, arguments), port, arguments.jobs, failed, counts)
            done += count
            if arguments.minutes:
                adopted(first + done, failed)
        for (seed, plain), (way, found) in list(failed.items())[:arguments.failures]:
            if isinstance(way, str):
                continue  # was told already
            report(seed, plain, way, found, arguments.keep, port)
        print(f"{done} seeds from {first} on, with and without schemas, in {time.monotonic() - began:.0f} s "
              f"({', '.join(f'{count} logs {name}' for name, count in sorted(counts.items()))}): {len(failed) or 'none'} failed")
    finally:
        if server:
            server.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
