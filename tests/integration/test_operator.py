"""What the program says to a new operator: names that nothing meets, settings that plugins refuse, stops that are told everywhere."""

import json
import os
import sys
import tempfile
import tomllib
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.test_keys import Keys as Events  # noqa: E402

MANIFEST = """[pipeline]
name = "operator"
{pipeline}
[runtime]
decode_workers = 1                    # what stands first is met first
[sources.events]
plugin = "file"
paths = ["{folder}/events-*.jsonl"]
format.plugin = "debezium-json"
{source}
[sinks.target]
plugin = "odbc"
[sinks.target.connection]
Driver = "SQLite3"
Database = "{database}"
{connection}
[dead_letters]
plugin = "file"
path = "{folder}/dead_letters.jsonl"
{more}
"""
ORDERS = '[routes.orders]\nmatch = ["public.orders"]\n'
REST = '[routes.rest]\nmatch = ["public.*"]\n'


class Operator(Events):
    def run_program(self, more="", source="", connection="", pipeline="", database=None, arguments=()):
        if self.lines:
            self.files += 1
            with open(os.path.join(self.folder, f"events-{self.files}.jsonl"), "w", encoding="utf-8") as file:
                file.write("\n".join(self.lines) + "\n")
            self.lines = []
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder, more=more, source=source, connection=connection, pipeline=pipeline,
                                       database=database or os.path.join(self.folder, "target.db")))
        return self.command(*arguments)

    def command(self, *arguments):
        return program.run([*arguments, "--manifest", self.manifest], folder=self.folder, timeout=60)

    def tables(self):
        return {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'") if not name.startswith("cdcrt_")}

    def contact(self, number, **more):
        cells = {"id": number, "email": f"e{number}@x", "v": f"v{number}", **more}
        self.event({"id": number}, {name: cell for name, cell in cells.items() if cell is not None})


class Columns(Operator):
    def test_a_mistyped_column_stops_the_table_before_anything_is_written(self):
        self.contact(1)
        self.row(1, table="others")
        more = ORDERS + '[routes.orders.columns]\nemial = { exclude = true }\n' + REST
        done = self.run_program(more=more)
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn("name 'emial', which the events of the table do not have", done.log)
        self.assertIn("did you mean 'email'?", done.log)
        self.assertEqual(self.tables(), {"others"})
        self.assertIn("emial", self.command("status").log)
        self.assertIn("stopped", self.command("table", "list").log)
        mended = self.run_program(more=more.replace("emial", "email"))
        self.assertEqual(mended.exit_code, 0, mended.log)
        self.assertEqual(self.rows("SELECT * FROM orders"), [(1, "v1")])
        self.assertNotIn("stopped", self.command("status").log)

    def test_a_column_that_comes_with_a_later_event_is_no_mistake(self):
        self.contact(1)
        self.contact(2, note="n2")
        self.contact(3, email2="f3")
        done = self.run_program(more=ORDERS + '[routes.orders.columns]\nnote = { rename = "remark" }\nemail2 = { exclude = true }\n')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertNotIn("nothing met", done.log)
        self.assertEqual(self.rows("SELECT remark FROM orders ORDER BY id"), [(None,), ("n2",), (None,)])

    def test_a_column_that_no_event_had_fails_the_run_and_is_told_later(self):
        self.contact(1)
        more = ORDERS + '[routes.orders.columns]\ntelephone = { type = "string" }\n'
        done = self.run_program(more=more)
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn("stopped: orders: [routes.orders.columns] 'telephone': no event had this column", done.log)
        self.assertIn("[routes.orders.columns] 'telephone'", self.command("status").log)
        self.contact(2, telephone="1")
        self.assertEqual(self.run_program(more=more).exit_code, 0)
        self.assertNotIn("telephone", self.command("status").log)

    def test_a_rule_of_a_route_for_many_tables_needs_one_of_them(self):
        self.contact(1)
        self.row(1, table="others")
        more = REST + '[routes.rest.columns]\nemail = { exclude = true }\nsnn = { exclude = true }\n[defaults.columns]\nbirth = { exclude = true }\n'
        done = self.run_program(more=more)
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertIn("nothing met: [routes.rest.columns] 'snn'", done.log)
        self.assertIn("nothing met: [defaults.columns] 'birth'", done.log)
        self.assertNotIn("'email': no event", done.log)

    def test_an_excluded_column_that_the_source_dropped_is_no_mistake_after_a_restart(self):
        more = ORDERS + '[routes.orders.columns]\nemail = { exclude = true }\n'
        self.contact(1)
        self.assertEqual(self.run_program(more=more).exit_code, 0)
        self.contact(2, email=None)
        self.contact(3, email=None, emails="x")
        done = self.run_program(more=more)
        self.assertEqual(done.exit_code, 0, done.log)

    def test_values_that_ignore_leaves_out_are_not_late(self):
        more = '[defaults]\nschema_changes = "ignore"\n[defaults.columns]\nemail = { exclude = true }\n'
        self.contact(1)
        self.assertEqual(self.run_program(more=more).exit_code, 0)
        self.contact(2, extra="x")
        done = self.run_program(more=more)
        self.assertNotIn("late values", done.log)
        self.assertIn("orders: 1 value of columns that the table lacks left out", done.log)


class Names(Operator):
    more = ('[routes.shop]\nmatch = ["public.*", "public.ordrs"]\nexcept = ["public.temporary", "public.tmp"]\n'
            '[routes.sales]\nmatch = ["sales.*"]\n')

    def test_what_matched_nothing_is_told_at_the_end_and_in_status(self):
        self.row(1)
        self.row(1, table="tmp")
        self.row(1, topic="unwanted")
        topics = 'topics = ["t.*", "s.sales.*"]'
        done = self.run_program(more=self.more, source=topics)
        self.assertEqual(done.exit_code, 0, done.log)
        told = ["[routes.shop] match 'public.ordrs': no table came that it means; did you mean 'public.orders'?",
                "[routes.shop] except 'public.temporary'", "[routes.sales] match 'sales.*'", "[sources.events] topics 's.sales.*'"]
        for line in told:
            self.assertIn("nothing met: " + line, done.log)
        self.assertNotIn("except 'public.tmp'", done.log)
        self.assertIn("1 message of other topics left out", done.log)
        status = self.command("status").log
        for line in told:
            self.assertIn("nothing met: " + line, status)
        # What met something once is not told again by a run that brings little; what is not in the manifest any more neither.
        self.row(2)
        quiet = self.run_program(more=self.more.replace('"public.temporary", ', ""), source=topics, arguments=("-q",))
        self.assertEqual(quiet.exit_code, 0, quiet.log)
        self.assertNotIn("public.t", quiet.log)
        self.assertIn("nothing met: [routes.sales] match 'sales.*'", quiet.log)
        self.assertNotIn("temporary", self.command("status").log)

    def test_topics_that_leave_out_everything_are_told(self):
        self.row(1)
        done = self.run_program(source='topics = ["shop.*"]', arguments=("-q",))
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertIn("nothing met: [sources.events] topics 'shop.*'", done.log)
        self.assertIn("[sources.events] topics 'shop.*'", self.command("status").log)
        self.row(2, topic="shop.orders")
        self.assertNotIn("nothing met", self.run_program(source='topics = ["shop.*"]').log)
        self.assertNotIn("nothing met", self.command("status").log)

    def test_the_json_summary_has_what_was_left_out_and_what_nothing_met(self):
        self.row(1)
        self.row(1, topic="unwanted")
        done = self.run_program(more=self.more, source='topics = ["t.*"]', arguments=("--output", "json"))
        summary = json.loads(next(line for line in done.log.splitlines() if line.startswith('{"messages"')))
        self.assertEqual(summary["left_out_messages"], 1)
        self.assertTrue(any("[routes.sales]" in line for line in summary["unmet"]), summary)

    def test_tables_that_meet_are_listed_until_they_are_kept_apart(self):
        self.row(1, schema="sales")
        self.row(7, schema="hr")
        done = self.run_program()
        self.assertEqual(done.exit_code, 1, done.log)
        for command in (("status",), ("table", "list")):
            listed = self.command(*command).log
            self.assertIn("shop.hr.orders", listed)
            self.assertIn("would meet in one target table", listed)
        apart = self.run_program(more='[routes.hr]\nmatch = ["hr.*"]\ntable = "hr_{table}"\n[routes.rest]\nmatch = ["*"]')
        self.assertEqual(apart.exit_code, 0, apart.log)
        self.assertNotIn("would meet", self.command("status").log)

    def test_a_table_that_no_route_may_leave_out_does_not_point_at_the_format(self):
        self.row(1)
        self.row(1, table="others")
        done = self.run_program(more=ORDERS, pipeline='unmatched_tables = "fail"')
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertNotIn("format.plugin", done.log)
        self.assertNotIn("{schema}_{table}", done.log)
        self.assertEqual(self.tables(), {"orders"})


class Told(Operator):
    def test_quiet_runs_and_json_logs_carry_stops_and_first_dead_letters(self):
        self.row(1)
        self.event(None, {"id": None, "v": "no key"})
        self.row(1, table="others")
        more = '[routes.others]\nmatch = ["public.others"]\nprimary_key = ["idd"]\n' + REST
        done = self.run_program(more=more, arguments=("-q", "--log-format", "json"))
        self.assertEqual(done.exit_code, 1, done.log)
        lines = [json.loads(line) for line in done.log.splitlines()]
        messages = [line["message"] for line in lines]
        self.assertTrue(any("table 'others' stopped" in text and "did you mean 'id'?" in text for text in messages), messages)
        self.assertTrue(any("dead letter" in text for text in messages), messages)

    def test_json_logs_have_what_is_wrong_with_the_manifest(self):
        for more, source, word in (("[defaults]\ncolums = {}", "", "colums"), ("", 'topics = ["re:("]', "topics")):
            done = self.run_program(more=more, source=source, arguments=("--log-format", "json"))
            self.assertEqual(done.exit_code, 2, done.log)
            lines = [json.loads(line) for line in done.log.splitlines()]
            self.assertTrue(any(line["level"] == "error" and word in line["message"] and "manifest.toml:" in line["message"] for line in lines), lines)


class Commands(Operator):
    def test_no_command_makes_a_database_where_nothing_is_kept(self):
        self.run_program(arguments=("validate",))
        for command, code in ((("status",), 0), (("progress", "show"), 0), (("table", "list"), 0), (("dlq", "list"), 0), (("dlq", "replay"), 0),
                              (("table", "pause", "orders"), 2), (("progress", "rewind", "--table", "orders", "--to", "earliest"), 2)):
            done = self.command(*command)
            self.assertEqual(done.exit_code, code, done.log)
            self.assertFalse(os.path.exists(os.path.join(self.folder, "target.db")), command)


class Validate(Operator):
    def validate(self, *arguments, **settings):
        return self.run_program(**settings, arguments=("validate", *arguments))

    def test_plugins_judge_their_settings_all_in_one_pass(self):
        done = self.validate(source='topics = ["re:("]', connection='Databse = "x"')
        self.assertEqual(done.exit_code, 2, done.log)
        self.assertIn("not a regular expression", done.log)
        self.assertRegex(done.log, r"manifest\.toml:\d+:\d+: error")
        self.assertIn('did you mean "Database"?', done.log)
        self.assertEqual(self.validate().exit_code, 0)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "target.db")))

    def test_settings_whose_secrets_are_not_read_are_not_judged(self):
        done = self.validate(more='[sinks.second]\nplugin = "odbc"\ndsn = "${aws-sm:shop/dsn}"\n[defaults]\nsink = "target"')
        self.assertEqual(done.exit_code, 0, done.log)

    def test_a_probe_connects_and_makes_nothing(self):
        missing = self.validate("--probe")
        self.assertEqual(missing.exit_code, 3, missing.log)
        self.assertIn("no file matches this pattern", missing.log)
        self.row(1)
        done = self.validate("--probe")
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "target.db")))
        elsewhere = self.validate("--probe", database="/nonexistent/folder/x.db")
        self.assertEqual(elsewhere.exit_code, 3, elsewhere.log)

    def test_options_can_be_pasted_as_they_are_described(self):
        for name in ("source-file", "source-kafka", "format-debezium-json", "sink-odbc", "sink-postgresql", "sink-redshift", "sink-file", "sink-kafka", "sink-blackhole"):
            described = json.loads(program.run(["plugin", "describe", name, "--output", "json"], folder=self.folder).log)
            for option in described["options"] + described["layout_options"]:
                with self.subTest(plugin=name, option=option["key"]):
                    tomllib.loads(f'{option["key"]} = {option["example"] or 1}')

    def test_names_of_plugins_are_taken_as_they_are_described(self):
        done = self.validate("--set", "sinks.target.plugin=sink-odbc", "--set", "sources.events.plugin=source-file", "--set",
                             "sources.events.format.plugin=format-debezium-json")
        self.assertEqual(done.exit_code, 0, done.log)


class Databases(unittest.TestCase):
    def test_a_missing_database_or_right_is_the_environment(self):
        target = program.PostgresqlTarget(None)
        database, port = target.environment["CDCRT_TEST_DATABASE"], target.environment["CDCRT_TEST_PORT"]
        program.PostgresqlTarget.server.sql("postgres", "create role nobody_special login")
        with tempfile.TemporaryDirectory() as folder:
            manifest = os.path.join(folder, "manifest.toml")
            with open(os.path.join(folder, "events.jsonl"), "w", encoding="utf-8"):
                pass
            for user, name, said in (("postgres", "no_such_database", "does not exist"), ("nobody_special", database, "permission denied")):
                with open(manifest, "w", encoding="utf-8") as file:
                    file.write(f'[pipeline]\nname = "rights"\n[sources.events]\nplugin = "file"\npaths = ["events.jsonl"]\nformat.plugin = "debezium-json"\n'
                               f'[sinks.target]\nplugin = "odbc"\nconnection = {{ Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{port}", '
                               f'Database = "{name}", UID = "{user}" }}\n')
                done = program.run(["--manifest", manifest], folder=folder, timeout=60)
                self.assertEqual(done.exit_code, 3, done.log)
                self.assertIn(said, done.log)
                if user == "postgres":
                    probed = program.run(["validate", "--probe", "--manifest", manifest], folder=folder, timeout=60)
                    self.assertEqual(probed.exit_code, 3, probed.log)
                    looked = program.run(["status", "--manifest", manifest], folder=folder, timeout=60)
                    self.assertEqual(looked.exit_code, 3, looked.log)


if __name__ == "__main__":
    unittest.main()
