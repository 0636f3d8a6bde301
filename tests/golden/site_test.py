"""scripts/build_docs makes a site of the documents: it holds every one of them, nothing in it comes from another host, lists are lists, and a link or an
anchor that leads nowhere fails it."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from documents import PROJECT

OUTSIDE = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^\"'> ]*")


def build(tree, folder):
    return subprocess.run([os.path.join(tree, "scripts/build_docs"), folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.place.cleanup)
        cls.site = os.path.join(cls.place.name, "site")
        cls.built = build(PROJECT, cls.site)

    def setUp(self):
        self.assertEqual(self.built.returncode, 0, self.built.stdout)

    def pages(self):
        for path in glob.glob("**/*.html", root_dir=self.site, recursive=True):
            yield path, read(os.path.join(self.site, path))

    def test_every_document_is_a_page(self):
        documents = subprocess.run(["git", "ls-files", "README.md", "docs/*.md", "plugins/*/README.md"], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False).stdout.split()
        for path in documents or ["docs/operating.md"]:  # a tree without git has its pages all the same
            page = "index.html" if path == "README.md" else re.sub(r"README\.md$", "index.md", path).removesuffix(".md") + ".html"
            self.assertTrue(os.path.exists(os.path.join(self.site, page)), f"{path}: no page {page}")

    def test_nothing_comes_from_another_host(self):
        found = [f"{path}: {tag[0]}" for path, text in self.pages() for tag in OUTSIDE.finditer(text) if 'rel="canonical"' not in tag[0]]
        for path in glob.glob("**/*.css", root_dir=self.site, recursive=True):
            found += [f"{path}: {url}" for url in re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^\"')]*", read(os.path.join(self.site, path)))]
        self.assertEqual(found, [])

    def test_lists_and_tables_are_no_paragraphs(self):
        found = []
        for path, text in self.pages():
            plain = re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)
            found += [f"{path}: {line[0]}" for line in re.finditer(r"<(?:p|li)>[^<]*\n(?:[-*] |1\. |\|)[^\n<]*", plain)]
        self.assertEqual(found, [])


class Broken(unittest.TestCase):
    def test_what_leads_nowhere_and_what_the_navigation_forgot_is_named_and_nothing_else(self):
        patterns = ("*.md", "LICENSE", "docs/**/*.*", "plugins/**/*.md", "manifests/*", "deploy/**/*.*", "bench/*.md", "tests/**/README.md", "tests/lab/python.py", "tests/data/**/types.toml",
                    "tests/integration/manifests/*", "scripts/build_docs")
        with tempfile.TemporaryDirectory() as folder:
            tree = os.path.join(folder, "tree")
            for file in {file for pattern in patterns for file in glob.glob(pattern, root_dir=PROJECT, recursive=True)}:
                if os.path.isfile(os.path.join(PROJECT, file)):
                    os.makedirs(os.path.dirname(os.path.join(tree, file)), exist_ok=True)
                    shutil.copy(os.path.join(PROJECT, file), os.path.join(tree, file))
            with open(os.path.join(tree, "plugins/sinks/odbc/README.md"), "a", encoding="utf-8") as file:
                file.write("\nSee [this](../postgresql/README.md#no-such-heading), [that](no-such-page.md), [a folder](../no-such-folder).\n")
            with open(os.path.join(tree, "docs/forgotten.md"), "w", encoding="utf-8") as file:
                file.write("# Forgotten\n")
            done = build(tree, os.path.join(folder, "site"))
        self.assertNotEqual(done.returncode, 0, done.stdout)
        for wrong in ("#no-such-heading", "no-such-page.md", "no-such-folder"):
            self.assertRegex(done.stdout, f"plugins/sinks/odbc/README.md.*{wrong}")
        self.assertIn("docs/forgotten.md", done.stdout)
        self.assertIn("Aborted with 4 warnings", done.stdout)


if __name__ == "__main__":
    unittest.main()
