"""The project's documents: their fenced blocks and the commands that their sentences name, each with its place."""

import glob
import os
import re

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


class Block:
    """A fenced block. `mark`: the comment in the line above it, which says how it is meant; `line`: of its first line of text."""

    def __init__(self, path, line, language, mark, text):
        self.path, self.line, self.language, self.mark, self.text = path, line, language, mark, text

    def __str__(self):
        return f"{self.path}:{self.line}"

    def in_its_place(self):
        """The text after as many empty lines as stand before it, so that what is said of it names the document's lines."""
        return "\n" * (self.line - 1) + self.text


def paths():
    """Every document that says what is; decisions and changes say what was."""
    found = glob.glob("**/*.md", root_dir=PROJECT, recursive=True)
    return sorted(path for path in found if not path.startswith(("build", "docs/decisions/")) and path != "CHANGELOG.md")


def read(path):
    with open(os.path.join(PROJECT, path), encoding="utf-8") as file:
        return file.read()


def blocks(path):
    text = read(path)
    for found in BLOCK.finditer(text):
        yield Block(path, text.count("\n", 0, found.start("text")) + 1, found["language"], found["mark"] or "", found["text"])


def named_commands(path):
    """(line, command) of each `cdcrt ...` in the sentences of a document."""
    text = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), read(path), flags=re.MULTILINE | re.DOTALL)
    for found in re.finditer(r"`(cdcrt [^`]*)`", text):
        yield text.count("\n", 0, found.start()) + 1, found[1].replace("\n", " ")
