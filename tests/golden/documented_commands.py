#!/usr/bin/env python3
"""Every manifest and every command of the documents holds: a ```toml block is validated, a ```sh block is run, and `cdcrt ...` in a sentence has
commands and options that exist. What is wrong is named with file and line.

Usage: documented_commands.py CDCRT [DOCUMENT...]

A ```toml block that is no whole manifest is completed by a frame: what it lacks of pipeline, source and sink. In the line above it may stand
  <!-- with FILE -->         it is laid over that manifest
  <!-- not a manifest -->    TOML of something else
  <!-- not run: WHY -->
A ```sh block is run line by line, in a folder of its own, with cdcrt as it was built and a pipeline whose target is SQLite. Servers there are none:
programs of others are only called (OTHERS), the project's scripts only have to exist. Names in capitals are filled in (PLACEHOLDERS). In the line above
may stand <!-- not run: WHY --> too."""

import glob
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib

import documents
from documents import PROJECT

sys.path.insert(0, os.path.join(PROJECT, "tests"))

from integration import spark_job  # noqa: E402

FRAME = {"pipeline": '[pipeline]\nname = "frame"\n',
         "sources": '[sources.events]\nplugin = "file"\npaths = ["events.jsonl"]\nformat.plugin = "debezium-json"\n',
         "sinks": '[sinks.nothing]\nplugin = "blackhole"\n'}
LANGUAGES = {"toml", "sh", "text", "json", "sql", "ini", "cmake", "cpp", "python", "csv", "yaml"}
PLACEHOLDERS = {"X.toml": "shop.toml", "NAME": "people", "T": "orders", "ID": "events/shop.public.orders/0/3/db/orders", "TIME": "2026-01-31T12:00:00Z",
                "OFFSET": "0", "TOPIC": "shop.public.orders"}
# Programs of others: called, not run. Their own options are their documents' matter.
OTHERS = "aws cmake ctest kcat kafka-consumer-groups.sh"
SHOP = """[pipeline]
name = "shop"
[sources.events]
plugin = "file"
paths = ["events.jsonl"]
format.plugin = "debezium-json"
[sinks.db]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "shop.db" }
[routes.orders]
match = ["public.orders"]
columns = { total = { type = "decimal(12,2)" } }
"""


def event(offset, number, total):
    row = {"id": number, "total": total}
    source = {"connector": "postgresql", "name": "shop", "db": "shop", "schema": "public", "table": "orders", "lsn": offset + 1, "ts_ms": 1_700_000_000_000}
    value = {"op": "c", "before": None, "after": row, "source": source, "ts_ms": 1_700_000_000_000}
    return {"topic": "shop.public.orders", "partition": 0, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000,
            "key": json.dumps({"id": number}), "payload": json.dumps(value)}


def orders():
    """The last one's total is no number, as in docs/operating.md."""
    return [(offset, number, total) for offset, (number, total) in enumerate([(1, "1.00"), (3, "2.50"), (4, "7.25"), (2, "many")])]


def run(command, folder, **environment):
    return subprocess.run(command, cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, check=False)


def write(path, text, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    if executable:
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)


def with_files(folder, text):
    """`text` with the secrets' files that it names made below `folder`: a certificate and its key, or any word."""
    place = os.path.join(folder, "files")
    certificate, key = os.path.join(place, "made.crt"), os.path.join(place, "made.key")

    def made(match):
        path = os.path.join(place, match[1][1:].replace("/", "-"))  # what is a file here may be a folder elsewhere
        if not os.path.exists(certificate):
            os.makedirs(place, exist_ok=True)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=example", "-out", certificate, "-keyout", key],
                           check=True, capture_output=True)
        kind = {".pem": certificate, ".crt": certificate, ".key": key}.get(os.path.splitext(path)[1])
        content = "a-word-that-nobody-guesses"
        if kind:
            with open(kind, encoding="utf-8") as file:
                content = file.read()
        write(path, content)
        return "${file:" + path + "}"
    return re.sub(r"\$\{file:(/[^}]+)\}", made, text)


def problem_of_manifest(cdcrt, folder, block, keys):
    """What is wrong with a ```toml block; "" where nothing is. `keys`: the document's block of comma-separated values."""
    try:
        tree = tomllib.loads(block.text)
    except tomllib.TOMLDecodeError as error:
        return f"{block}: its TOML cannot be read: {error}"
    if block.mark == "not a manifest" or block.mark.startswith("not run: "):
        return ""
    manifest = os.path.join(folder, block.path)  # so that what is said of it names the document
    write(manifest, with_files(folder, block.in_its_place()))
    write(os.path.join(os.path.dirname(manifest), "keys.csv"), keys)
    base = os.path.join(os.path.dirname(manifest), "frame.toml")
    write(base, "".join(text for section, text in FRAME.items() if section not in tree))
    if block.mark.startswith("with "):
        base = os.path.join(PROJECT, block.mark.removeprefix("with "))
    # The first file is where paths begin: the document's own, where it is whole.
    files = [manifest] if all(section in tree for section in FRAME) else [base, manifest]
    variables = {name: "value" for name in re.findall(r"\$\{env:(\w+)", block.text)}
    credentials = os.path.join(folder, "credentials")
    for name in re.findall(r"\$\{credential:([^}]+)\}", block.text):
        write(os.path.join(credentials, name), "a-word-that-nobody-guesses")
    variables["CREDENTIALS_DIRECTORY"] = credentials
    done = run([cdcrt, "validate", *(word for file in files for word in ("--manifest", file))], os.path.dirname(manifest), **variables)
    return "" if done.returncode == 0 else f"{block}: cdcrt validate refuses the manifest\n{done.stdout.replace(folder + '/', '')}"


class Sessions:
    """Runs ```sh blocks, each in a folder of its own that holds what a reader has at that point."""

    def __init__(self, cdcrt, folder):
        self.cdcrt, self.folder, self.count = cdcrt, folder, 0
        self.programs = os.path.join(folder, "programs")
        self.failures = os.path.join(folder, "failures")
        # Done with dead letters (4) is done: the pipeline has one.
        write(os.path.join(self.programs, "cdcrt"), f"""#!/bin/bash
output=$({shlex.quote(cdcrt)} "$@" 2>&1) && exit
code=$?
(( code == 4 )) && exit
{{ echo "exit code $code of: cdcrt $*"; echo "$output"; }} >> {shlex.quote(self.failures)}
exit "$code"
""", executable=True)
        for name in OTHERS.split():
            write(os.path.join(self.programs, name), "#!/bin/sh\n", executable=True)
        write(os.path.join(self.programs, "python3"), f"""#!/bin/bash
[[ "$1" == -c ]] && exit
at=("$1"); rest=("${{@:2}}")
if [[ "$1" == -m ]]; then at=("${{rest[0]//.//}}"); [[ "$2" == unittest ]] && mapfile -t at < <(printf '%s\\n' "${{rest[@]:1}}" | grep -v ^- | tr . /); fi
for name in "${{at[@]}}"; do
  found=
  for place in {shlex.quote(PROJECT)} {shlex.quote(PROJECT)}/tests; do
    [[ -e "$place/$name" || -e "$place/$name.py" || -e "$place/${{name%/*}}.py" ]] && found=1
  done
  [[ "$found" ]] || {{ echo "there is no $name for python3" >> {shlex.quote(self.failures)}; exit 1; }}
done
[[ "$1" == lab/python.py ]] && echo python3
exit 0
""", executable=True)
        self.pattern = os.path.join(folder, "pattern")
        write(os.path.join(self.pattern, "shop.toml"), SHOP)
        write(os.path.join(self.pattern, "job.properties"), spark_job.properties([{"db": "shop", "table": "orders", "primary_key": "id"}]))
        write(os.path.join(self.pattern, "messages.txt"), event(0, 1, "1.00")["payload"] + "\n")
        write(os.path.join(self.pattern, "events.jsonl"), "".join(json.dumps(event(*each)) + "\n" for each in orders()))
        os.mkdir(os.path.join(self.pattern, "events"))
        for name in ("manifests", "tests"):
            os.symlink(os.path.join(PROJECT, name), os.path.join(self.pattern, name))
        for path in (*(os.path.join("scripts", name) for name in os.listdir(os.path.join(PROJECT, "scripts"))), ".ci/run"):
            write(os.path.join(self.pattern, path), "#!/bin/sh\n", executable=True)
        for listed in glob.glob("**/CMakeLists.txt", root_dir=PROJECT, recursive=True):
            for name in re.findall(r"add_executable\((\w+)", documents.read(listed)):
                write(os.path.join(self.pattern, "build/release/bin", name), "#!/bin/sh\n", executable=True)
        plugins = os.path.join(os.path.dirname(os.path.dirname(cdcrt)), "lib/cdcrt/plugins")
        shutil.copy(os.path.join(plugins, "format-debezium-json.so"), os.path.join(self.pattern, "format-people.so"))
        done = run([cdcrt, "--manifest", "shop.toml"], self.pattern)
        if done.returncode != 4:
            raise SystemExit(f"the pipeline of the documents' commands has to end with a dead letter (4), and ended with {done.returncode}\n{done.stdout}")

    def problem(self, block):
        if block.mark.startswith("not run: "):
            return ""
        self.count += 1
        place = os.path.join(self.folder, f"session-{self.count}")
        shutil.copytree(self.pattern, place, symlinks=True)
        write(self.failures, "")
        text = re.sub(r"(?<![\w.])(" + "|".join(map(re.escape, PLACEHOLDERS)) + r")(?![\w.])|(?<=format-)NAME", lambda found: PLACEHOLDERS[found[0]], block.in_its_place())
        # Its paths begin with this folder; the tree's build is cdcrt.
        text = text.replace("build/release/bin/cdcrt", "cdcrt")
        session = os.path.join(place, ".session")
        for written in re.findall(r"--output (\S+\.\w+)", text):
            if os.path.exists(os.path.join(place, written)):
                os.remove(os.path.join(place, written))
        write(session, "trap 'echo \"line $LINENO\" >&2' ERR\nset -e -o pipefail\n".replace("\n", "; ") + text)
        done = run(["bash", session], place, PATH=f"{self.programs}:{os.environ['PATH']}")
        if done.returncode == 0:
            return ""
        line = re.findall(r"line (\d+)", done.stdout)
        with open(self.failures, encoding="utf-8") as file:
            told = file.read() or done.stdout
        return f"{block.path}:{line[-1] if line else block.line}: the command fails\n{told.replace(self.folder + '/', '')}"


class Commands:
    """What `cdcrt ... --help` says of commands and options."""

    def __init__(self, cdcrt):
        self.cdcrt, self.known = cdcrt, {}

    def help(self, words):
        """(options, subcommands) of the command of these words."""
        if words not in self.known:
            text = run([self.cdcrt, *words, "--help"], None).stdout
            part = text.partition("Subcommands:")
            listed = [line.split()[0] for line in part[2].splitlines() if re.match(r"  \S", line) and "(not yet available)" not in line]
            self.known[words] = (set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", part[0])), set(listed))
        return self.known[words]

    def is_hidden(self, words, word):
        """Whether the word is a command that help does not list."""
        return not words and not word.startswith("-") and f"cdcrt {word} " in run([self.cdcrt, word, "--help"], None).stdout.partition("\n")[2]

    def problem(self, command):
        words, given = (), shlex.split(command.partition(" #")[0])[1:]
        options, subcommands = self.help(words)
        while given and (given[0] in subcommands or self.is_hidden(words, given[0])):
            words += (given.pop(0),)
            options, subcommands = self.help(words)
        if given and subcommands and not given[0].startswith("-"):
            return f"{' '.join(('cdcrt', *words))} has no command '{given[0]}'"
        wrong = [word for word in given if word.startswith("-") and word.partition("=")[0] not in options and word != "-"]
        return f"{' '.join(('cdcrt', *words))} has no option {wrong[0]}" if wrong else ""


def problems_of(path, cdcrt, folder, sessions, commands):
    blocks = list(documents.blocks(path))
    keys = "".join(block.text for block in blocks if block.language == "csv")
    for block in blocks:
        if block.language not in LANGUAGES:
            yield f"{block}: a block of {block.language or 'no language'}: one of {' '.join(sorted(LANGUAGES))} says what is checked of it"
        elif block.language == "toml":
            yield problem_of_manifest(cdcrt, folder, block, keys)
        elif block.language == "sh":
            yield sessions.problem(block)
        elif block.language == "text":
            for number, command in enumerate(block.text.split("\n"), block.line):
                if command.startswith("$ cdcrt "):
                    yield (wrong := commands.problem(command[2:])) and f"{path}:{number}: {wrong}"
    for line, command in documents.named_commands(path):
        wrong = commands.problem(command)
        yield wrong and f"{path}:{line}: `{command}`: {wrong}"


def main():
    cdcrt = os.path.abspath(sys.argv[1])
    # As documents.paths() names them: what is written for a document stands below the test's own folder.
    chosen = [os.path.relpath(path, PROJECT) for path in sys.argv[2:]] or documents.paths()
    with tempfile.TemporaryDirectory() as folder:
        sessions, commands = Sessions(cdcrt, folder), Commands(cdcrt)
        problems = [problem for path in chosen for problem in problems_of(path, cdcrt, folder, sessions, commands) if problem]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
