"""What is in the packages, without installing them: fields, files, manual pages, completions, the unit of systemd; the tarball runs from anywhere."""

import gzip
import os
import pty
import re
import runpy
import select
import subprocess
import tempfile
import time
import unittest

from install.packages import BUILD, PROJECT, done, packages, place, unpacked

DOCUMENTS = "usr/share/doc/cdcrt"


def fields(package):
    text = done("dpkg-deb", "-f", package)
    return dict(line.split(": ", 1) for line in text.splitlines() if re.match(r"\S+: ", line))


def listed(package):
    """Mode and owner of each path of a package."""
    lines = (line.split(None, 5) for line in done("dpkg-deb", "-c", package).splitlines())
    return {line[5]: (line[0], line[1]) for line in lines}


def needs(package):
    """Names of what an installed package depends on."""
    return set(re.findall(r"[a-z0-9][a-z0-9.+-]+", done("dpkg-query", "-W", "-f=${Depends}", package)))


def version():
    with open(os.path.join(PROJECT, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(cdcrt VERSION (\S+)", file.read())[1]


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
class Packages(unittest.TestCase):
    def test_the_fields_say_what_is_needed(self):
        runtime, development, _ = packages()
        self.assertEqual(os.path.basename(runtime), f"cdcrt_{version()}_{done('dpkg', '--print-architecture').strip()}.deb")
        depends = fields(runtime)["Depends"]
        # Of the program and of its plugins, with the versions whose symbols they use.
        for library in ("libc6 (>= ", "libstdc++6 (>= ", "librdkafka1 (>= ", "libpq5", "libodbc2", "libcurl4", "libssl3", "zlib1g"):
            self.assertIn(library, depends)
        self.assertNotIn("-dev", depends)
        self.assertIn("libsqliteodbc", fields(runtime)["Recommends"])
        self.assertEqual(fields(development)["Depends"], f"cdcrt (= {version()})")

    def test_files_are_where_debian_has_them_and_belong_to_root(self):
        runtime, development, _ = packages()
        files = listed(runtime)
        for path in ("usr/bin/cdcrt", "usr/lib/cdcrt/plugins/sink-redshift.so", "usr/lib/systemd/system/cdcrt@.service",
                     "usr/share/man/man1/cdcrt.1.gz", "usr/share/man/man5/cdcrt-manifest.5.gz", "usr/share/bash-completion/completions/cdcrt",
                     "usr/share/zsh/vendor-completions/_cdcrt", "usr/share/fish/vendor_completions.d/cdcrt.fish", f"{DOCUMENTS}/copyright",
                     f"{DOCUMENTS}/changelog.gz", f"{DOCUMENTS}/examples/quickstart.toml"):
            self.assertIn("./" + path, files)
        for path, (mode, owner) in {**files, **listed(development)}.items():
            self.assertEqual(owner, "root/root", path)
            self.assertRegex(mode, r"^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x)$", path)
        self.assertEqual(files["./usr/bin/cdcrt"][0], "-rwxr-xr-x")
        self.assertFalse([path for path in files if "/include/" in path or "/cmake/" in path])
        self.assertFalse([path for path in listed(development) if path.endswith(".so") or "/bin/" in path])
        self.assertIn("./usr/include/cdcrt/sdk/format.hpp", listed(development))
        self.assertIn("./usr/lib/cmake/cdcrt/cdcrtConfig.cmake", listed(development))
        # Nothing points back into the build.
        for name in ("bin/cdcrt", "lib/cdcrt/plugins/sink-odbc.so"):
            self.assertNotIn(BUILD.encode(), open_binary(os.path.join(unpacked(), "usr", name)), name)
            self.assertNotRegex(done("readelf", "-d", os.path.join(unpacked(), "usr", name)), r"RPATH|\(RUNPATH\).*\[/")
            self.assertNotIn(".debug_info", done("readelf", "-S", os.path.join(unpacked(), "usr", name)))

    def test_what_is_compiled_in_is_named_in_the_notice_and_in_the_bill_of_materials(self):
        named = set(runpy.run_path(os.path.join(PROJECT, "scripts/bill_of_materials"))["COMPILED_IN"])
        with open(os.path.join(unpacked(), DOCUMENTS, "copyright"), encoding="utf-8") as file:
            notice = file.read()
        self.assertEqual(set(re.findall(r"\b[a-z0-9.]+-dev\b", notice)), named)
        # Headers that program and plugins were built with, but those of shared libraries and of the compiler.
        folders = {}
        for target in re.split(r"\n(?=\S)", done("ninja", "-C", BUILD, "-t", "deps")):
            if re.match(r"(core|libraries|plugins)/", target):
                folders.update((os.path.dirname(path), path) for path in re.findall(r"^\s+(/usr/\S+)$", target, re.MULTILINE))
        packages_of_headers = {line.split(":")[0] for line in done("dpkg-query", "-S", *folders.values()).splitlines()}
        shared = set(re.findall(r"[a-z0-9.+-]+", fields(packages()[0])["Depends"]))
        alone = {name for name in packages_of_headers if not needs(name) & shared}
        self.assertEqual(alone - {"libc6-dev", "linux-libc-dev", "libstdc++-12-dev", "libgcc-12-dev"} - named, set())
        self.assertEqual(named - packages_of_headers, set())

    def test_the_tarball_runs_from_any_folder_and_finds_its_plugins(self):
        folder = place("tarball")
        done("tar", "-xzf", packages()[2], "-C", folder)
        top, = os.listdir(folder)
        moved = os.path.join(folder, "some where else")
        os.rename(os.path.join(folder, top), moved)
        link = os.path.join(folder, "cdcrt")
        os.symlink(os.path.join(moved, "bin", "cdcrt"), link)
        for program in (os.path.join(moved, "bin", "cdcrt"), link):
            told = done(program, "plugin", "list", cwd="/", env={"PATH": "/usr/bin:/bin"})
            self.assertIn("redshift", told)
            self.assertIn(os.path.join(moved, "lib", "cdcrt", "plugins") + " (the install folder)", told)
            self.assertNotIn("refused", told)
        with tempfile.TemporaryDirectory() as elsewhere:
            done(link, "--manifest", os.path.join(moved, "share/doc/cdcrt/examples/quickstart.toml"), cwd=elsewhere)
            self.assertTrue(os.path.exists(os.path.join(elsewhere, "quickstart.db")))
        self.assertTrue(os.path.exists(os.path.join(moved, "lib/cmake/cdcrt/cdcrtConfig.cmake")))

    def test_manual_pages_are_well_formed_and_know_every_command_and_key(self):
        pages = {}
        for section, name in (("1", "cdcrt"), ("5", "cdcrt-manifest")):
            path = os.path.join(unpacked(), f"usr/share/man/man{section}/{name}.{section}.gz")
            with gzip.open(path, "rt", encoding="utf-8") as file:
                source = file.read()
            shown = subprocess.run(["groff", "-k", "-man", "-Tutf8", "-ww", "-rLL=100n", "-P-cbou"], input=source, text=True, capture_output=True, check=True)
            self.assertEqual(shown.stderr, "", name)
            pages[name] = " ".join(shown.stdout.split())
        program = os.path.join(unpacked(), "usr/bin/cdcrt")
        for command in re.findall(r"^## (cdcrt(?: [a-z]+)*)", done(program, "reference", "command-line"), re.MULTILINE):
            self.assertIn(command, pages["cdcrt"])
        for expected in ("--from-now", "EXIT STATUS", "done, with dead letters; of dlq replay: some stay open", "CDCRT_PLUGIN_PATH"):
            self.assertIn(expected, pages["cdcrt"])
        for expected in ("[runtime]", "shutdown_timeout (default: 30s)", "batch.max_rows (default: 50000)", "[routes.NAME.columns.NAME]"):
            self.assertIn(expected, pages["cdcrt-manifest"])
        self.assertNotIn("](", pages["cdcrt-manifest"])
        self.assertNotIn("`", pages["cdcrt-manifest"])


def open_binary(path):
    with open(path, "rb") as file:
        return file.read()


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
class Completions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.share = os.path.join(unpacked(), "usr/share")
        cls.folder = place("completions")
        for name in ("shop.toml", "with blank.toml", "people.txt"):
            with open(os.path.join(cls.folder, name), "w", encoding="utf-8"):
                pass
        os.mkdir(os.path.join(cls.folder, "plugins"))

    def bash(self, *words):
        """What bash completes the last word to, as it does for a person."""
        script = os.path.join(self.share, "bash-completion/completions/cdcrt")
        inside = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cdcrt; printf "%s\\n" "${COMPREPLY[@]}"'
        told = done("bash", "--norc", "-uc", inside, "bash", script, "cdcrt", *words, cwd=self.folder)
        return told.split("\n")[:-1] if told != "\n" else []

    def fish(self, line):
        script = os.path.join(self.share, "fish/vendor_completions.d/cdcrt.fish")
        told = done("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'", cwd=self.folder,
                    env={**os.environ, "HOME": self.folder, "XDG_DATA_HOME": self.folder})
        return [each.split("\t")[0] for each in told.splitlines()]

    def zsh(self, line, *expected):
        """What a zsh behind a terminal shows after a tab has all that is expected."""
        master, slave = pty.openpty()
        shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=self.folder, start_new_session=True,
                                 env={"PATH": "/usr/bin:/bin", "HOME": self.folder, "TERM": "dumb", "PS1": "", "LC_ALL": "C.UTF-8"})
        os.close(slave)
        shown = ""

        def until(is_there):
            nonlocal shown
            end = time.monotonic() + 60
            while not is_there(shown):
                if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
                    self.fail(f"zsh shows {shown!r} after {line!r}")
                shown += os.read(master, 4096).decode(errors="replace")

        try:
            folder = os.path.join(self.share, "zsh/vendor-completions")
            os.write(master, f"unsetopt zle_bracketed_paste; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; echo BE''GUN\n".encode())
            until(lambda text: "BEGUN" in text)
            shown = ""
            os.write(master, line.encode() + b"\t\t")
            until(lambda text: all(word in text.replace(line, "") for word in expected))
        finally:
            shell.kill()
            shell.wait()
            os.close(master)

    def test_bash_completes_commands_options_choices_and_files(self):
        self.assertEqual(self.bash("dl"), ["dlq"])
        self.assertEqual(self.bash("dlq", ""), ["list", "show", "replay"])
        self.assertEqual(self.bash("progress", "rewind", "--to", "earliest", "--em"), ["--empty"])
        self.assertEqual(self.bash("status", "--output", ""), ["text", "json"])
        self.assertEqual(self.bash("status", "--output", "=", "j"), ["json"])
        self.assertEqual(self.bash("plugin", "describe", "--output", "m"), ["markdown"])
        self.assertEqual(sorted(self.bash("--manifest", "")), ["people.txt", "plugins", "shop.toml", "with blank.toml"])
        self.assertEqual(self.bash("run", "-m", "wi"), ["with blank.toml"])
        self.assertEqual(self.bash("plugin", "list", "--plugin-dir", ""), ["plugins"])
        self.assertEqual(self.bash("decode", "pe"), ["people.txt"])
        # A value that is called as a command is none.
        self.assertEqual(self.bash("--manifest", "status", "dl"), ["dlq"])
        # The value of --table is the operator's to know.
        self.assertEqual(self.bash("dlq", "list", "--table", ""), [])
        self.assertIn("--check-plugins", self.bash("--"))
        self.assertNotIn("reference", self.bash(""))
        self.assertNotIn("plan", self.bash(""))

    def test_every_command_is_completed_word_by_word(self):
        program = os.path.join(unpacked(), "usr/bin/cdcrt")
        page = done(program, "reference", "command-line")
        commands = [line.split()[1:] for line in re.findall(r"^## (cdcrt(?: [a-z]+)+)", page, re.MULTILINE)]
        self.assertGreater(len(commands), 15)
        for words in commands:
            for i in range(len(words)):
                self.assertIn(words[i], self.bash(*words[:i], words[i][:2]), words)

    def test_fish_completes_the_same(self):
        self.assertEqual(self.fish("cdcrt dl"), ["dlq"])
        self.assertEqual(sorted(self.fish("cdcrt dlq ")), ["list", "replay", "show"])
        self.assertEqual(self.fish("cdcrt status --output j"), ["json"])
        self.assertEqual(self.fish("cdcrt progress rewind --to earliest --em"), ["--empty"])
        self.assertEqual(self.fish("cdcrt run -m sho"), ["shop.toml"])
        self.assertEqual(self.fish("cdcrt --manifest status dl"), ["dlq"])

    def test_zsh_completes_the_same(self):
        self.zsh("cdcrt dlq ", "list", "show", "replay")
        self.zsh("cdcrt status --output j", "son")
        self.zsh("cdcrt progress rewind --em", "pty")
        self.zsh("cdcrt run -m sho", "p.toml")


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
class Unit(unittest.TestCase):
    """cdcrt@.service, read by systemd's own tools. They need no running systemd."""

    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(unpacked(), "usr/lib/systemd/system")
        with open(os.path.join(cls.folder, "cdcrt@.service"), encoding="utf-8") as file:
            cls.text = file.read()

    def setting(self, name):
        return [line.split("=", 1)[1] for line in self.text.splitlines() if line.startswith(name + "=")]

    def test_systemd_finds_nothing_wrong(self):
        # Programs are looked for in the machine's own root: here they are those of the package.
        folder = place("unit")
        path = os.path.join(folder, "cdcrt@shop.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text.replace("/usr/bin/cdcrt", os.path.join(unpacked(), "usr/bin/cdcrt")))
        told = subprocess.run(["systemd-analyze", "verify", "--man=no", path], text=True, capture_output=True)
        about = [line for line in (told.stdout + told.stderr).splitlines() if "cdcrt" in line]
        self.assertEqual((told.returncode, about), (0, []), told.stderr)
        # It is looked at: a fault is found.
        with open(path, "a", encoding="utf-8") as file:
            file.write("[Service]\nRestrat=always\n")
        told = subprocess.run(["systemd-analyze", "verify", "--man=no", path], text=True, capture_output=True)
        self.assertIn("Restrat", told.stdout + told.stderr)

    def test_systemd_calls_it_safe(self):
        told = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager",
                               os.path.join(self.folder, "cdcrt@.service")], text=True, capture_output=True)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        level = float(re.search(r"exposure level for \S+: ([\d.]+)", told.stdout)[1])
        self.assertLess(level, 3.0)

    def test_restarts_agree_with_the_exit_codes(self):
        with open(os.path.join(PROJECT, "docs/reference/command-line.md"), encoding="utf-8") as file:
            codes = {int(code) for code in re.findall(r"^\| (\d+) \|", file.read(), re.MULTILINE)}
        good = {0} | {int(code) for code in self.setting("SuccessExitStatus")[0].split()}
        again = {int(code) for code in self.setting("RestartForceExitStatus")[0].split()}
        self.assertEqual(self.setting("Restart"), ["on-abnormal"])  # what the process itself decided is in the codes
        self.assertEqual((good, again, codes - good - again), ({0, 4}, {1, 3}, {2}))

    def test_what_it_runs_is_a_command_that_there_is(self):
        program = os.path.join(unpacked(), "usr/bin/cdcrt")
        for name in ("ExecStartPre", "ExecStart"):
            command, = self.setting(name)
            words = command.split()
            self.assertEqual((words[0], words[2:]), ("/usr/bin/cdcrt", ["--manifest", "/etc/cdcrt/%i.toml"]))
            self.assertIn("--manifest", done(program, words[1], "--help"))


if __name__ == "__main__":
    unittest.main()
