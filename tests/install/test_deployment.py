"""What runs cdcrt where this machine runs none of it: an image's root, Kubernetes, Helm, ECS. The root is entered; the rest is checked by schemas."""

import functools
import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from install.packages import PROJECT, done, enters_roots, inside, packages, place, unpacked

sys.path.insert(0, os.path.join(PROJECT, "tests"))

from lab import python  # noqa: E402

PACKAGING = os.path.join(PROJECT, "packaging")
CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_deployment.py")
CHART = os.path.join(PACKAGING, "helm/cdcrt")


def plain():
    """The plain manifests but the list of them."""
    return [path for path in sorted(glob.glob(os.path.join(PACKAGING, "kubernetes/*.yaml"))) if not path.endswith("kustomization.yaml")]


def problems(*paths):
    return done(python.interpreter(), CHECK, *paths).splitlines()


@functools.cache
def all_loaded():
    """Everything that is YAML and no template, by path."""
    paths = [*glob.glob(os.path.join(PACKAGING, "kubernetes/*.yaml")), *glob.glob(os.path.join(CHART, "*.yaml"))]
    return json.loads(done(python.interpreter(), CHECK, "--json", *paths))


def loaded(path):
    return all_loaded()[path] if path in all_loaded() else json.loads(done(python.interpreter(), CHECK, "--json", path))[path]


def text_of(*names):
    with open(os.path.join(PACKAGING, *names), encoding="utf-8") as file:
        return file.read()


class Image(unittest.TestCase):
    @unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
    @unittest.skipUnless(enters_roots(), "a root is entered by a root that may mount: `unshare --mount true` fails here")
    def test_the_root_of_the_image_runs_the_quickstart_as_its_user_and_holds_little_else(self):
        root = os.path.join(place("image"), "root")
        done(os.path.join(PACKAGING, "container/make_root"), packages()[0], root)
        examples = os.path.join(unpacked(), "usr/share/doc/cdcrt/examples")
        for name in ("quickstart.toml", "events.jsonl.gz"):
            shutil.copy(os.path.join(examples, name), os.path.join(root, "etc/cdcrt"))

        def cdcrt(*arguments, expect=0):
            result = inside(root, "/usr/bin/cdcrt", *arguments, user="65532:65532")
            self.assertEqual(result.returncode, expect, result.stdout)
            return result.stdout

        told = cdcrt("plugin", "list")
        self.assertNotIn("refused", told)
        self.assertIn("redshift", told)
        cdcrt("--manifest", "/etc/cdcrt/quickstart.toml", "--set", "sinks.shop.connection.Database=/var/lib/cdcrt/shop.db")
        with sqlite3.connect(os.path.join(root, "var/lib/cdcrt/shop.db")) as database:
            self.assertGreater(database.execute("SELECT count(*) FROM customers").fetchone()[0], 100)
        # What the other driver needs is there as well: it is reached, and finds no server.
        with open(os.path.join(root, "etc/cdcrt/other.toml"), "w", encoding="utf-8") as file:
            file.write('[pipeline]\nname = "p"\n[sources.s]\nplugin = "file"\npaths = "/etc/cdcrt/events.jsonl.gz"\nformat.plugin = "debezium-json"\n'
                       '[sinks.db]\nplugin = "odbc"\nconnection = { Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "1", Database = "d" }\n')
        self.assertIn("Connection refused", cdcrt("--manifest", "/etc/cdcrt/other.toml", expect=3))

        self.assertEqual(os.listdir(os.path.join(root, "usr/bin")), ["cdcrt"])
        state, temporary = (os.stat(os.path.join(root, path)) for path in ("var/lib/cdcrt", "tmp"))
        self.assertEqual((state.st_uid, state.st_gid, state.st_mode & 0o7777, temporary.st_mode & 0o7777), (65532, 65532, 0o750, 0o1777))
        self.assertFalse(os.path.exists(os.path.join(root, "bin")))
        self.check_notices(root)
        megabytes = int(done("du", "-sm", root).split()[0])
        self.assertLess(megabytes, 100)

    def check_notices(self, root):
        """Of each package that a file is from: its notice, and its version where scanners look for it. Nothing else is below /usr/share."""
        documents = os.path.join(root, "usr/share/doc")
        self.assertEqual(os.listdir(os.path.join(root, "usr/share")), ["doc"])
        self.assertEqual({name for folder in os.listdir(documents) for name in os.listdir(os.path.join(documents, folder))}, {"copyright"})
        recorded = set(os.listdir(os.path.join(root, "var/lib/dpkg/status.d")))
        self.assertEqual(set(os.listdir(documents)), recorded | {"cdcrt"})
        for name in ("libc6", "libssl3", "librdkafka1", "libsqliteodbc", "odbc-postgresql"):
            self.assertIn(name, recorded)
        with open(os.path.join(root, "var/lib/dpkg/status.d/libssl3"), encoding="utf-8") as file:
            self.assertIn("\nVersion: " + done("dpkg-query", "-W", "-f=${Version}", "libssl3") + "\n", file.read())
        # No library is there without its package. A file has its name with /usr or without, as its package spells it.
        paths = [os.path.join(folder, file)[len(root):] for folder, _, files in os.walk(root) for file in files if ".so" in file]
        real = {os.path.realpath(path).removeprefix("/usr") for path in paths if "/lib/cdcrt/" not in path}
        found = subprocess.run(["dpkg-query", "-S", *real, *("/usr" + path for path in real)], capture_output=True, text=True, check=False).stdout
        owners = dict(reversed(line.split(": ")) for line in found.splitlines())
        self.assertEqual({path for path in real if path not in owners and "/usr" + path not in owners}, set())
        self.assertEqual({owner.split(":")[0] for owner in owners.values()}, recorded)

    def test_the_containerfile_names_what_there_is_and_runs_as_no_root(self):
        text = text_of("container", "Containerfile")
        for path in re.findall(r"\b(?:scripts|packaging)/[\w/-]+", re.sub(r"(?m)^#.*$", "", text)):
            self.assertTrue(os.access(os.path.join(PROJECT, path), os.X_OK), path)
        last = text[text.rindex("\nFROM "):]
        self.assertIn("FROM scratch", last)
        self.assertIn("USER 65532:65532", last)
        self.assertNotIn("RUN ", last)
        self.assertIn(f":{current_version()} ", text)

    def test_folders_that_ecs_mounts_keep_their_owner(self):
        # Fargate gives a volume to root, unless the image declares it; what comes after a VOLUME does not go into it.
        text = text_of("container", "Containerfile")
        declared = json.loads(re.search(r"(?m)^VOLUME (\[.*\])$", text)[1])
        self.assertGreater(text.index("\nVOLUME "), text.rindex("\nCOPY "))
        task, = json.loads(text_of("ecs", "task-definition.json"))["containerDefinitions"]
        self.assertEqual(sorted(mount["containerPath"] for mount in task["mountPoints"]), sorted(declared))


def current_version():
    with open(os.path.join(PROJECT, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(cdcrt VERSION (\S+)", file.read())[1]


class Kubernetes(unittest.TestCase):
    def test_the_schemas_of_kubernetes_and_ecs_have_no_objections(self):
        self.assertEqual(problems(*plain(), os.path.join(PACKAGING, "ecs/task-definition.json")), [])

    def test_a_wrong_one_would_be_found(self):
        with tempfile.TemporaryDirectory() as folder:
            wrong = {"statefulset.yaml": text_of("kubernetes", "statefulset.yaml").replace("replicas: 2", "replica: 2"),
                     "task.json": text_of("ecs", "task-definition.json").replace('"stopTimeout"', '"stopTime"')}
            for name, text in wrong.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            told = problems(*(os.path.join(folder, name) for name in wrong))
        self.assertTrue(any("replica" in line for line in told) and any("stopTime" in line for line in told), told)

    def test_every_object_is_of_the_same_pipeline_and_the_list_has_those_that_any_cluster_takes(self):
        listed, = loaded(os.path.join(PACKAGING, "kubernetes/kustomization.yaml"))
        names = {os.path.basename(path) for path in plain()}
        self.assertEqual(set(listed["resources"]), names - {"hpa.yaml", "scaledobject.yaml"})
        for path in plain():
            found, = loaded(path)
            self.assertEqual(found["metadata"]["name"], "cdcrt-shop", path)
            labels = found["metadata"]["labels"]
            selector = found["spec"].get("selector", {}) if "spec" in found else {}
            self.assertEqual(selector.get("matchLabels", selector) or labels, labels, path)

    def test_versions_are_that_of_the_program(self):
        chart, = loaded(os.path.join(CHART, "Chart.yaml"))
        self.assertEqual((chart["version"], chart["appVersion"]), (current_version(), current_version()))
        statefulset, = loaded(os.path.join(PACKAGING, "kubernetes/statefulset.yaml"))
        self.assertEqual(statefulset["spec"]["template"]["spec"]["containers"][0]["image"], f"cdcrt:{current_version()}")


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
class Manifests(unittest.TestCase):
    def test_manifests_in_kubernetes_and_in_the_chart_are_valid(self):
        config, = loaded(os.path.join(PACKAGING, "kubernetes/configmap.yaml"))
        values, = loaded(os.path.join(CHART, "values.yaml"))
        program = os.path.join(unpacked(), "usr/bin/cdcrt")
        knows_http = "`http`" in done(program, "reference", "manifest")
        with tempfile.TemporaryDirectory() as folder:
            for secret in ("database-password", "http-token"):
                with open(os.path.join(folder, secret), "w", encoding="utf-8") as file:
                    file.write("a secret of some length")
            for text in (config["data"]["shop.toml"], values["manifest"]):
                # A version without the server validates the rest.
                text = text if knows_http else re.sub(r"(?m)^http.*\n", "", text)
                with open(os.path.join(folder, "shop.toml"), "w", encoding="utf-8") as file:
                    file.write(text.replace("/run/secrets/cdcrt/", folder + "/"))
                done(program, "validate", "--manifest", file.name, env={**os.environ, "POD_NAME": "cdcrt-shop-0"})
        statefulset, = loaded(os.path.join(PACKAGING, "kubernetes/statefulset.yaml"))
        pod = statefulset["spec"]["template"]["spec"]
        mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        for secret in re.findall(r"\$\{file:([^}]+)/[^/}]+\}", config["data"]["shop.toml"]):
            self.assertEqual(secret, mounted["secrets"])
        self.assertIn(os.path.join(mounted["manifest"], "shop.toml"), pod["containers"][0]["args"])
        self.assertEqual({volume["name"] for volume in pod["volumes"]}, set(mounted))


class Chart(unittest.TestCase):
    """Without its expressions a template is YAML; what matters is in it as in the plain manifest."""

    def template(self, name):
        with open(os.path.join(CHART, "templates", name), encoding="utf-8") as file:
            return file.read()

    def stripped(self, name):
        text = re.sub(r"(?m)^\s*\{\{.*\}\}\n", "", self.template(name))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(re.sub(r"\{\{.*?\}\}", "1", text))
            file.flush()
            found, = loaded(file.name)
        return found

    def names(self):
        return sorted(name for name in os.listdir(os.path.join(CHART, "templates")) if name.endswith(".yaml"))

    def test_every_template_is_yaml_and_every_block_is_closed(self):
        for name in self.names():
            self.assertIn("kind", self.stripped(name), name)
            text = self.template(name)
            opened = len(re.findall(r"\{\{-? (?:if|with|range|define) ", text))
            self.assertEqual(opened, len(re.findall(r"\{\{-? end -?\}\}", text)), name)
            self.assertEqual(text.count("{{"), text.count("}}"), name)
            for value in re.findall(r"\{\{(.*?)\}\}", text):
                for used in re.findall(r"\b(include|define) \"([^\"]+)\"", value):
                    self.assertIn(f'define "{used[1]}"', self.template("_names.tpl"))

    def test_every_value_is_declared_and_every_declared_one_is_used(self):
        values, = loaded(os.path.join(CHART, "values.yaml"))
        used = set()
        for name in [*self.names(), "_names.tpl"]:
            used |= set(re.findall(r"\.Values\.([\w.]+)", self.template(name)))
        for path in used:
            found = values
            for part in path.split("."):
                self.assertIn(part, found, path)
                found = found[part]
        self.assertEqual({path.split(".")[0] for path in used}, set(values))

    def test_a_pod_is_as_safe_as_that_of_the_plain_manifest_and_asked_the_same(self):
        chart = self.stripped("statefulset.yaml")
        other, = loaded(os.path.join(PACKAGING, "kubernetes/statefulset.yaml"))
        pods = [each["spec"]["template"]["spec"] for each in (chart, other)]
        for key in ("securityContext", "automountServiceAccountToken"):
            self.assertEqual(pods[0][key], pods[1][key], key)
        for key in ("securityContext", "startupProbe", "livenessProbe", "readinessProbe", "volumeMounts"):
            self.assertEqual(pods[0]["containers"][0][key], pods[1]["containers"][0][key], key)
        for key in ("podManagementPolicy", "updateStrategy"):
            self.assertEqual(chart["spec"][key], other["spec"][key])

    @unittest.skipUnless(shutil.which("helm"), "no helm here")
    def test_helm_renders_what_kubernetes_takes(self):
        done("helm", "lint", "--strict", CHART)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(done("helm", "template", "shop", CHART, "--set", "scaling.enabled=true"))
            file.flush()
            self.assertEqual(problems(file.name), [])


if __name__ == "__main__":
    unittest.main()
