#!/usr/bin/env python3
"""Rows encoded, compressed and staged per second and per core, beside gzip, pigz and igzip alone on the same bytes.

  run_staging_bench.py [--rows N] [--program build/release/bin/staging_bench]
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))

from lab.s3 import S3  # noqa: E402


def compressor(command, path):
    """CPU seconds and bytes out of a program that compresses the file to its standard output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as out:
        subprocess.run([*command, path], stdout=out, check=True)
        size = out.tell() or os.fstat(out.fileno()).st_size
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--levels", default="0,1,2,3")
    parser.add_argument("--program", default=os.path.join(os.path.dirname(HERE), "build", "release", "bin", "staging_bench"))
    given = parser.parse_args()
    print(f"{'':32} {'rows/s a core':>14} {'text MB/s a core':>17} {'stored':>8} {'peak MB':>8}")
    server = S3()
    try:
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
        for level in given.levels.split(","):
            done = subprocess.run([given.program, "--rows", str(given.rows), "--level", level, "--endpoint", server.endpoint, "--bucket", server.bucket],
                                  env=environment, capture_output=True, text=True, check=True)
            for line in done.stdout.splitlines():
                step = json.loads(line)
                if step["step"] == "encode" and level != given.levels.split(",")[0]:
                    continue
                name = step["step"] + ("" if step["step"] == "encode" else f", level {level}")
                share = step["stored_bytes"] / step["text_bytes"]
                print(f"{name:32} {step['rows_per_cpu_second']:14,.0f} {step['text_mb_per_cpu_second']:17.1f} {share:8.1%} {step['peak_kb'] / 1024:8.0f}")
    finally:
        server.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.csv")
        subprocess.run([given.program, "--rows", str(given.rows), "--dump", path], check=True, stdout=subprocess.DEVNULL)
        size = os.path.getsize(path)
        for command in (["gzip", "-1", "-c"], ["gzip", "-6", "-c"], ["pigz", "-1", "-p1", "-c"], ["igzip", "-1", "-c"]):
            if not shutil.which(command[0]):
                continue
            seconds, stored = compressor(command, path)
            print(f"{' '.join(command[:2]):32} {given.rows / seconds:14,.0f} {size / 1e6 / seconds:17.1f} {stored / size:8.1%}")


if __name__ == "__main__":
    main()
