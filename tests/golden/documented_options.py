#!/usr/bin/env python3
"""Every option that a document names exists: words of the plugins' READMEs, and the TOML of all documents, manifests and examples.

Usage: documented_options.py CDCRT FOLDER_OF_PLUGINS. What exists is asked of the plugins; keys of the host are those of docs/manifest.md and docs/reference/manifest.md."""

import glob
import json
import os
import re
import subprocess
import sys
import tomllib

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What READMEs name in backticks and is no option: of the database, the driver, the format or the message. A word that is neither an option
# nor here is an error, so that an option that was renamed or never was does not stay in a document.
OTHER_WORDS = {
    "formats/debezium-json": "auto before bit c columns d ddl delete envelope event_count events flattened ignore keys m null numeric op r source status "
                             "t timetz u add.fields.prefix",
    "formats/dms": "delete insert load null row update control data metadata metadata.timestamp string type true false json file kafka",
    "formats/flink-cdc": "append primary_keys wkb default full time timetz timestamp timestamptz bit bytea json numeric point source historyRecord base64 rs_id ssn",
    "sinks/blackhole": "",
    "sinks/file": "delete insert key null op row schema snapshot table truncate update",
    "sinks/kafka": "enable.idempotence headers key timestamp value",
    "sinks/odbc": "bit citext hstore json libsqliteodbc money odbc.ini point real unnest journal_mode",
    "sinks/postgresql": "cdcrt odbc plugin postgresql service sslmode sslrootcert",
    "sinks/redshift": "null enable_case_sensitive_identifier stl_load_errors sys_load_error_detail username password host port dbname",
    "sources/file": "headers kcat key offset partition payload shop.public.orders shop.public.orders.jsonl.gz topic ts tstype values",
    "sources/kafka": "auto.offset.reset bootstrap.servers committed debug earliest enable.auto.commit enable.auto.offset.store enable.partition.eof "
                     "fetch.max.bytes fetch.queue.backoff.ms group.id sasl.username "
                     "group.instance.id isolation.level latest partition.assignment.strategy queued.max.messages.kbytes read_committed session.timeout.ms "
                     "topic.metadata.refresh.interval.ms",
}
WORD = re.compile(r"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)(?: = .*)?")


class Plugin:
    def __init__(self, described):
        self.options = {option["key"]: option for option in described["options"]}
        self.layout = {option["key"] for option in described.get("layout_options", [])}
        self.words = set(self.options) | self.layout
        for option in [*described["options"], *described.get("layout_options", [])]:
            self.words |= set(option.get("values") or [])
        self.words |= {key.rsplit(".", 1)[-1] for key in self.options}

    def accepts(self, path):
        """Whether `path` is an option, leads to one, or lies below one that is a table."""
        return any(key == path or key.startswith(path + ".") or (path.startswith(key + ".") and self.options[key]["type"] == "table")
                   for key in self.options)


def described(cdcrt, folder):
    plugins = {}
    for file in sorted(glob.glob(os.path.join(folder, "*.so"))):
        text = subprocess.run([cdcrt, "plugin", "describe", file, "--output", "json"], check=True, capture_output=True, text=True).stdout
        value = json.loads(text)
        plugins[value["kind"], value["name"]] = Plugin(value)
    return plugins


def host_keys():
    """Keys of the host by its documents: the first column of their tables."""
    words = set()
    for page in ("manifest.md", "reference/manifest.md"):
        with open(os.path.join(PROJECT, "docs", page), encoding="utf-8") as file:
            words |= {word for row in re.findall(r"^\|([^|]*)\|", file.read(), re.MULTILINE) for word in re.findall(r"`([a-z_.*]+)`", row)}
    return words


def toml_texts():
    for path in sorted({*glob.glob("**/*.md", root_dir=PROJECT, recursive=True), *glob.glob("manifests/*.toml", root_dir=PROJECT)}):
        if path.startswith("build"):
            continue
        with open(os.path.join(PROJECT, path), encoding="utf-8") as file:
            text = file.read()
        if path.endswith(".toml"):
            yield path, text
        for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            yield path, block


def leaves(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


class Checker:
    def __init__(self, plugins):
        self.plugins, self.host, self.problems = plugins, host_keys(), []

    def knows(self, key):
        return key in self.host or any(pattern.endswith("*") and key.startswith(pattern[:-1]) for pattern in self.host)

    def component(self, path, section, kind, table):
        given = [plugin for (of, name), plugin in self.plugins.items() if of == kind and name == table.get("plugin", name)]
        if not given:  # a plugin of somebody else
            return
        form = table.pop("format", None)
        if isinstance(form, dict):
            self.component(path, f"{section}.format", "format", form)
        for key in leaves(table):
            if key != "plugin" and not self.knows(key) and not any(plugin.accepts(key) for plugin in given):
                self.problems.append(f"{path}: [{section}] has no key '{key}'")

    def manifest(self, path, tree):
        for name, table in tree.get("sources", {}).items():
            self.component(path, f"sources.{name}", "source", table)
        for name, table in tree.get("sinks", {}).items():
            self.component(path, f"sinks.{name}", "sink", table)
        routes = [(f"routes.{name}", table) for name, table in tree.get("routes", {}).items()] + [("defaults", tree.get("defaults", {}))]
        layout = set().union(*(plugin.layout for plugin in self.plugins.values()))
        for section, table in routes:
            for key in table:
                if not self.knows(key):
                    self.problems.append(f"{path}: [{section}] has no key '{key}'")
            for key in table.get("layout", {}):
                if key not in layout:
                    self.problems.append(f"{path}: [{section}] has a layout without option '{key}'")
        for section in ("pipeline", "runtime"):
            for key in tree.get(section, {}):
                if not self.knows(key):
                    self.problems.append(f"{path}: [{section}] has no key '{key}'")

    def readme(self, path, plugin, others):
        with open(os.path.join(PROJECT, path), encoding="utf-8") as file:
            text = re.sub(r"^```.*?^```", "", file.read(), flags=re.MULTILINE | re.DOTALL)
        for quoted in re.findall(r"`([^`\n]+)`", text):
            found = WORD.fullmatch(quoted)
            if found and found[1] not in others and not self.knows(found[1]) and not plugin.accepts(found[1]) and found[1] not in plugin.words:
                self.problems.append(f"{path}: `{quoted}` is no option of the plugin")


def main():
    plugins = described(sys.argv[1], sys.argv[2])
    checker = Checker(plugins)
    for path, text in toml_texts():
        try:
            checker.manifest(path, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            checker.problems.append(f"{path}: its TOML cannot be read: {error}")
    for (kind, name), plugin in plugins.items():
        checker.readme(f"plugins/{kind}s/{name}/README.md", plugin, set(OTHER_WORDS.get(f"{kind}s/{name}", "").split()))
    print("\n".join(sorted(set(checker.problems))))
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main())
