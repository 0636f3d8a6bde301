"""cdcrt@.service under a systemd that runs: as PID 1 of a container (systemd-nspawn) whose root is this machine's, with the package's files over it."""

import functools
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from install.packages import PATIENCE, done, enters_roots, place, unpacked

TOKEN = "0123456789abcdef0123456789abcdef"
MANIFEST = """
[pipeline]
name = "shop"
[runtime]
http = "127.0.0.1:9464"
http_token = "${credential:token}"
[sources.events]
plugin = "file"
paths = "-"
format.plugin = "debezium-json"
[sinks.db]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "/var/lib/cdcrt/shop/shop.db" }
"""
# What a person writes with `systemctl edit`, and an input that waits.
DROP_IN = """
[Service]
LoadCredential=token:/etc/cdcrt/secrets/token
StandardInput=file:/srv/events
WatchdogSec=5s
RestartSec=1s
"""
FILES = {"etc/cdcrt/shop.toml": MANIFEST, "etc/cdcrt/wrong.toml": MANIFEST.replace("[pipeline]", "[pipelien]"), "etc/cdcrt/secrets/token": TOKEN,
         "etc/systemd/system/cdcrt@.service.d/test.conf": DROP_IN}
# Nothing of this machine's own is started there. Mounts go with the process.
BOOT = """set -e
place=$1 files=$2; shift 2
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" overlay "$place/root"
rm -rf "$place/root/etc/systemd/system" "$place/root/etc/cdcrt" "$place/root/var/lib/private" "$place/root/var/lib/cdcrt"
cp -r "$files/." "$place/root/"
chmod 600 "$place/root/etc/cdcrt/secrets/token"
mkfifo -m 666 "$place/root/srv/events"
exec systemd-nspawn --quiet --boot --register=no "$@" --console=pipe --private-network --link-journal=no -D "$place/root" systemd.unit=basic.target"""


class Machine:
    """A systemd that has booted. `why_not`: why there is none."""

    def __init__(self):
        files = place("service-files")
        shutil.copytree(unpacked(), files, dirs_exist_ok=True)
        for path, text in FILES.items():
            os.makedirs(os.path.dirname(os.path.join(files, path)), exist_ok=True)
            with open(os.path.join(files, path), "w", encoding="utf-8") as file:
                file.write(text)
        self.log = os.path.join(place("service-log"), "boot")
        # Where another systemd runs this machine, it makes a place among its control groups.
        more = [] if os.path.isdir("/run/systemd/system") else ["--keep-unit"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "bash", "-c", BOOT, "bash", place("service-root"), files, *more],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.leader = None
        self.why_not = "" if self._boots() else f"no systemd boots in a container here: {self._said()}"

    def _said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read().strip() or "it says nothing"

    def _boots(self):
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="utf-8") as file:
                children = file.read().split()
            if children:
                self.leader = children[0]
                if self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                    return True
            time.sleep(0.2)
        return False

    def run(self, *arguments, text=None):
        return subprocess.run(["nsenter", "--target", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid", *arguments], input=text, text=True,
                              stdin=None if text is not None else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                              check=False)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@functools.cache
def why_not():
    """Why no container can be booted on this machine; empty: it can be tried."""
    if not enters_roots():
        return "a container is booted by a root that may mount: `unshare --mount true` fails here"
    missing = [name for name in ("systemd-nspawn", "nsenter") if shutil.which(name) is None]
    if missing or not os.path.exists("/lib/systemd/systemd"):
        return "systemd-nspawn (package systemd-container), nsenter or systemd is not installed"
    return ""


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if why_not():
            raise unittest.SkipTest(why_not())
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.stop)
        if cls.machine.why_not:
            raise unittest.SkipTest(cls.machine.why_not)
        # Whoever writes the events stays.
        writer = subprocess.Popen(["nsenter", "--target", cls.machine.leader, "--mount", "--pid", "bash", "-c", "exec 3<>/srv/events; exec sleep infinity"])
        cls.addClassCleanup(writer.wait)
        cls.addClassCleanup(writer.kill)

    def inside(self, *arguments, text=None, expect=0):
        result = self.machine.run(*arguments, text=text)
        self.assertEqual(result.returncode, expect, f"{' '.join(arguments)}:\n{result.stdout}\n{self.journal()}")
        return result.stdout

    def journal(self):
        return self.machine.run("journalctl", "--no-pager", "-o", "cat", "-u", "cdcrt@*").stdout

    def shown(self, name, unit="cdcrt@shop"):
        return self.inside("systemctl", "show", "--value", "-p", name, unit).strip()

    def until(self, is_so, what):
        end = time.monotonic() + 120
        while not is_so():
            self.assertLess(time.monotonic(), end, f"{what}\n{self.journal()}")
            time.sleep(0.2)

    def start(self):
        self.inside("systemctl", "start", "cdcrt@shop")
        self.addCleanup(self.machine.run, "systemctl", "stop", "cdcrt@shop")
        self.assertEqual(self.shown("ActiveState"), "active")

    def feed(self, number):
        payload = json.dumps({"before": None, "after": {"id": number}, "source": {"table": "people"}, "op": "c"})
        line = json.dumps({"topic": "people", "partition": 0, "offset": number, "key": None, "payload": payload})
        self.inside("bash", "-c", "cat > /srv/events", text=line + "\n")

    def rows(self):
        return self.inside("sqlite3", "/var/lib/private/cdcrt/shop/shop.db", "select id from people order by id").split()

    def test_it_runs_as_nobody_with_its_credential_and_its_state_and_stops_with_everything_written(self):
        self.start()
        process = self.shown("MainPID")
        self.assertNotEqual(self.inside("stat", "-c", "%u", f"/proc/{process}").strip(), "0")
        self.assertEqual(self.inside("stat", "-c", "%a", "/var/lib/private/cdcrt/shop").strip(), "750")
        # The file is readable for root alone; the token in it opens the door.
        asks = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
        self.assertEqual(self.inside(*asks, "http://127.0.0.1:9464/metrics"), "401")
        self.assertEqual(self.inside(*asks, "-H", f"Authorization: Bearer {TOKEN}", "http://127.0.0.1:9464/metrics"), "200")
        self.feed(1)
        by_hand = ["env", "CREDENTIALS_DIRECTORY=/run/credentials/cdcrt@shop.service", "cdcrt"]
        self.assertIn("pipeline shop", self.inside(*by_hand, "status", "--manifest", "/etc/cdcrt/shop.toml"))
        self.until(lambda: self.shown("StatusText").startswith("1 rows, 1 tables"), "the status does not tell of the row")
        self.inside("systemctl", "stop", "cdcrt@shop")
        self.assertEqual((self.shown("ActiveState"), self.shown("Result"), self.shown("ExecMainStatus")), ("inactive", "success", "0"), self.journal())
        self.assertEqual(self.rows(), ["1"])
        self.assertNotIn(TOKEN, self.journal())

    def test_one_that_is_stuck_is_ended_by_the_watchdog_and_started_again(self):
        self.start()
        process = self.shown("MainPID")
        # It says that it is alive: it outlives the watchdog's time.
        told = self.shown("WatchdogTimestampMonotonic")
        self.until(lambda: self.shown("WatchdogTimestampMonotonic") != told, "it does not say that it is alive")
        self.assertEqual((self.shown("MainPID"), self.shown("NRestarts")), (process, "0"))
        self.inside("kill", f"-{int(signal.SIGSTOP)}", process)
        self.until(lambda: self.shown("NRestarts") == "1" and self.shown("ActiveState") == "active", "it is not started again")
        self.assertIn("Watchdog timeout", self.journal())
        self.assertNotEqual(self.shown("MainPID"), process)

    def test_before_the_first_start_commands_find_the_secrets_where_their_files_are(self):
        self.inside("cdcrt", "validate", "--manifest", "/etc/cdcrt/shop.toml", expect=2)
        self.inside("env", "CREDENTIALS_DIRECTORY=/etc/cdcrt/secrets", "cdcrt", "validate", "--manifest", "/etc/cdcrt/shop.toml")

    def test_a_manifest_that_is_wrong_is_told_and_not_tried_again(self):
        self.inside("systemctl", "start", "cdcrt@wrong", expect=1)
        self.assertEqual((self.shown("ActiveState", "cdcrt@wrong"), self.shown("NRestarts", "cdcrt@wrong")), ("failed", "0"))
        self.assertIn("unknown key 'pipelien'", self.journal())
        self.assertIn("/etc/cdcrt/wrong.toml:2:2", self.journal())


if __name__ == "__main__":
    unittest.main()
