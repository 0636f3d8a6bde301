"""What the measurements are made of: workloads end in the rows they tell, tables and charts show what was measured.

    CDCRT_BINARY=build/release/bin/cdcrt python3 -m unittest test_bench
"""

import copy
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import draw_chart  # noqa: E402
from live import PROJECT, report, round_trips  # noqa: E402
from live.load import WORKLOADS  # noqa: E402

BINARY = os.path.abspath(os.environ.get("CDCRT_BINARY", os.path.join(PROJECT, "build", "release", "bin", "cdcrt")))
GENERATOR = os.path.join(os.path.dirname(BINARY), "generate_events")
MANIFEST = """[pipeline]
name = "workload"
[sources.events]
plugin = "file"
paths = ["{events}"]
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "{database}" }}
"""
EVENTS = {"wide": 100, "toast": 1000, "many": 1500, "hot": 7000}  # else 2000; hot: 4,000 rows come first


class Workloads(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cdcrt-workload-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def place(self, name):
        return os.path.join(self.folder, name)

    def generate(self, *words):
        return subprocess.run([GENERATOR, *words], check=False, capture_output=True, text=True)

    def test_every_workload_ends_in_the_rows_it_tells(self):
        for name, workload in WORKLOADS.items():
            words = [word if word != "1000" else "50" for word in workload.words]
            for more in ([], ["--no-schemas"]):
                with self.subTest(workload=name, more=more):
                    run = self.place(f"{name}{len(more)}")
                    done = self.generate("--events", str(EVENTS.get(name, 2000)), "--out", run + ".jsonl", "--expected", run + ".expected", *words, *more)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    with open(run + ".toml", "w", encoding="utf-8") as file:
                        file.write(MANIFEST.format(events=run + ".jsonl", database=run + ".db"))
                    done = subprocess.run([BINARY, "--manifest", run + ".toml"], cwd=self.folder, check=False, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    compare = os.path.join(PROJECT, "tests", "oracle", "compare.py")
                    done = subprocess.run([sys.executable, compare, "--expected", run + ".expected", "--target", f"sqlite:{run}.db"], check=False,
                                          capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_pieces_hold_the_same_messages_as_lines(self):
        words = ("--events", "500", "--tables", "6", "--topic", "bench.all")
        self.generate(*words, "--pieces", self.place("pieces"))
        self.assertEqual(sorted({name.rpartition("-")[0] for name in os.listdir(self.place("pieces"))}), ["bench.all"])
        messages = 0
        for name in os.listdir(self.place("pieces")):
            with open(os.path.join(self.place("pieces"), name), encoding="utf-8") as file:
                messages += file.read().count("\x01")
        self.assertEqual(messages, 500)

    def test_a_wrong_option_is_named_with_those_there_are(self):
        for words, told in ((["--evnts", "1"], "unknown option --evnts; options: [--events VALUE]"), (["--events", "1k"], "--events: not a number: 1k"),
                            (["--seed"], "a value is missing after --seed"), (["--workload", "x"], "--workload: mixed, insert"),
                            (["--format", "dms", "--workload", "hot"], "unknown option --workload"), (["--format", "x"], "--format: debezium, dms or flink-cdc"),
                            (["--tables", "0"], "--tables: from 1"),
                            (["--tables", "201", "--pieces", self.place("pieces")], "--tables: from 1 to 200")):
            with self.subTest(words=words):
                done = self.generate(*words)
                self.assertEqual(done.returncode, 1)
                self.assertIn(told, done.stderr)


def run_of(contender, events_per_second, **more):
    return {"contender": contender, "workload": "mixed", "events": 1000, "events_per_second": events_per_second, "events_per_second_whole": 10, "peak_mib": 50,
            "cpu_seconds": 1.0, "database_cpu_seconds": 3.0, "broker_cpu_seconds": 0.5, "commits": 10, "round_trips": 40, "wakeups": 500,
            "other_cpu_seconds": 0.1, "steal_seconds": 0.0, "exact": True, **more}


def latency_of(contender, rate, p50, p99, busy=0):
    return {"contender": contender, "busy": busy, "rate": rate, "p50_ms": p50, "p90_ms": p50, "p99_ms": p99, "max_ms": p99, "wakeups_per_event": 3.0,
            "cpu_seconds_per_event": 0.001, "database_cpu_seconds_per_event": 0.002, "broker_cpu_seconds_per_event": 0.003, "commits_per_event": 0.5,
            "round_trips_per_event": 2.0, "events": 10}


MEASURED = {"date": "2026-01-02T03:04+00:00", "machine": "2 cores of <A & B>", "commit": "abc", "load": [0.5, 2.0],
            "throughput": [run_of("cdcrt", 900), run_of("other", 100), run_of("cdcrt", 1000), run_of("other", 100), run_of("cdcrt", 3000), run_of("other", 400)],
            "latency": [latency_of("cdcrt", 1, 4, 8), latency_of("other", 1, 10, 400), latency_of("cdcrt", 1, 5, 9, busy=2), latency_of("other", 1, 12, 600, busy=2),
                        {"contender": "cdcrt", "busy": 0, "rate": 0, "wakeups_per_second": 7}],
            "reading": [{"contender": "librdkafka alone", "compression": "lz4", "events_per_second_whole": 200, "peak_mib": 1, "cpu_seconds": 1, "wakeups": 1, "events": 9},
                        {"contender": "cdcrt -> blackhole", "compression": "lz4", "events_per_second_whole": 150, "peak_mib": 1, "cpu_seconds": 1, "wakeups": 1, "events": 9}]}


class Tables(unittest.TestCase):
    def test_a_number_is_the_median_with_the_least_and_the_most_and_ratios_are_taken_round_by_round(self):
        table = report.throughput(MEASURED["throughput"])
        self.assertIn("| events/s, first commit to last | 1,000 (900–3,000) | 100 (100–400) | 9.00 (7.50–10.00) |", table)
        self.assertIn("| events a commit | 100 (100–100) |", table)
        self.assertIn("| tables equal the generator's | yes | yes |  |", table)

    def test_the_first_contender_is_told_beside_each_of_the_others(self):
        table = report.throughput([run_of("cdcrt", 900), run_of("one", 100), run_of("two", 300)])
        self.assertIn("| cdcrt | one | two | cdcrt : one | cdcrt : two |", table)
        self.assertIn("| events/s, first commit to last | 900 | 100 | 300 | 9.00 | 3.00 |", table)

    def test_one_run_that_differs_is_enough_to_say_so(self):
        runs = copy.deepcopy(MEASURED["throughput"])
        runs[3]["exact"] = False
        self.assertIn("| tables equal the generator's | yes | NO |  |", report.throughput(runs))

    def test_what_a_kernel_does_not_tell_is_left_blank(self):
        runs = [{**run, "round_trips": None} for run in MEASURED["throughput"]]
        self.assertIn("| round trips a commit |  |  |  |", report.throughput(runs))

    def test_latencies_stand_by_load_and_rate_with_rest_behind(self):
        lines = report.latency(MEASURED["latency"]).splitlines()[2:]
        self.assertEqual([line.split(" | ")[0:3] for line in lines],
                         [["| cdcrt", "0", "1"], ["| other", "0", "1"], ["| cdcrt at rest", "0", "0"], ["| cdcrt", "2", "1"], ["| other", "2", "1"]])

    def test_reading_is_told_beside_librdkafka(self):
        self.assertIn("| cdcrt -> blackhole | lz4 | 150 | 0.75 |", report.reading(MEASURED["reading"]))


class Chart(unittest.TestCase):
    def texts(self, *files):
        root = xml.etree.ElementTree.fromstring(draw_chart.draw(list(files)))
        return root, [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]

    def test_medians_machine_and_date_are_shown(self):
        _, texts = self.texts(MEASURED)
        for told in ("1,000", "100", "4 / 8 ms", "10 / 400 ms", "0.75", "Produced → committed, beside 2 busy loops"):
            self.assertIn(told, texts)
        self.assertTrue(any("2 cores of <A & B>; load average 0.5 to 2.0" in line for line in texts))
        self.assertTrue(any("2026-01-02, abc" in line for line in texts))

    def test_a_bar_is_as_long_as_its_number_within_its_panel(self):
        root, _ = self.texts({**MEASURED, "latency": [], "reading": []})
        bars = [float(bar.get("width")) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertAlmostEqual(bars[0] / bars[1], 1000 / 100, delta=0.1)

    def test_parts_come_from_the_last_file_that_has_them(self):
        later = {**MEASURED, "throughput": [run_of("cdcrt", 7777)], "latency": [], "reading": []}
        _, texts = self.texts(MEASURED, later)
        self.assertIn("7,777", texts)
        self.assertIn("0.75", texts)

    def test_it_is_readable_on_dark_pages(self):
        drawn = draw_chart.draw([MEASURED])
        self.assertIn("prefers-color-scheme: dark", drawn)
        self.assertNotIn('fill="', drawn)  # colours come from the style alone

    def test_the_readme_shows_what_was_measured_last(self):
        files = []
        for part in ("throughput", "latency", "reading"):
            with open(os.path.join(PROJECT, "bench", "measured", part + ".json"), encoding="utf-8") as file:
                files.append(json.load(file))
        with open(os.path.join(PROJECT, "docs", "measured.svg"), encoding="utf-8") as file:
            self.assertEqual(file.read(), draw_chart.draw(files), "draw it anew: see bench/README.md")

    def test_nothing_measured_draws_nothing(self):
        with self.assertRaises(SystemExit):
            draw_chart.draw([{**MEASURED, "throughput": [], "latency": [], "reading": []}])


class RoundTrips(unittest.TestCase):
    def test_each_answer_that_a_client_waits_for_counts_once(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            counted = round_trips.RoundTrips(listener.getsockname()[1])
            self.addCleanup(counted.close)
            if not counted.known:
                self.skipTest("this kernel does not tell (CONFIG_INET_DIAG)")
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
            self.addCleanup(client.close)
            self.addCleanup(server.close)
            echo = threading.Thread(target=lambda: [server.sendall(server.recv(100)) for _ in range(50)])
            echo.start()
            for _ in range(50):
                client.sendall(b"a question")
                client.recv(100)
            echo.join()
            counted.count()
            time.sleep(0.01)
            self.assertEqual(counted.count(), 50)


if __name__ == "__main__":
    unittest.main()
