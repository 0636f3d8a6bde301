"""Makes the site of the repository's own Markdown files, each under the path that it has there: nothing is copied and no link is written for the
site alone.

A hook of mkdocs (mkdocs.yml): fills the patterns of the navigation, gives mkdocs every page that it then names and the files that pages link
to, and lets Python-Markdown read lists and headings as GitHub reads them."""

import glob
import logging
import os
import re

from mkdocs.structure.files import File

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ("*.md", "docs/**/*.md", "plugins/*/*/README.md", "manifests/*.md", "deploy/*/*.md", "bench/*.md", "tests/**/README.md")
STYLE = "docs/site/site.css"
FENCE = re.compile(r"^([ \t]*)(```+).*?^\1\2[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)(\]\()([^)\s]+)(\))")
ITEM = re.compile(r"^(\s*)([-*+]|\d+\.)(\s+)")

log = logging.getLogger("mkdocs.hooks.gather")


def _found(pattern):
    return sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, pattern), recursive=True))


def _pages():
    return sorted({page for pattern in PAGES for page in _found(pattern) if not page.startswith("build/")})


def _text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def _outside_code(text, change):
    """`text` with `change` applied to what is neither a fenced block nor between backticks."""
    pieces, end = [], 0
    for block in re.finditer(FENCE.pattern + r"|`[^`\n]+`", text, FENCE.flags):
        pieces += [change(text[end:block.start()]), block[0]]
        end = block.end()
    return "".join([*pieces, change(text[end:])])


# The navigation.


def _named(entries):
    for entry in entries:
        target = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(target, list):
            yield from _named(target)
        else:
            yield target


def _filled(entries, named):
    filled = []
    for entry in entries:
        title, target = next(iter(entry.items())) if isinstance(entry, dict) else (None, entry)
        if isinstance(target, list):
            filled.append({title: _filled(target, named)})
        elif "*" in target:
            pages = [page for page in _found(target) if page not in named]
            filled += [{title: pages}] if title else pages
        else:
            filled.append(entry)
    return filled


def github_anchor(heading, separator):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def on_config(config):
    config.nav = _filled(config.nav, set(_named(config.nav)))
    config.mdx_configs.setdefault("toc", {})["slugify"] = github_anchor
    return config


# The files.


def _linked(pages):
    """Files that pages link to and that are no pages: a manifest, the licence."""
    linked = set()

    def collect(piece, page):
        for link in LINK.finditer(piece):
            target = os.path.normpath(os.path.join(os.path.dirname(page), link[2].partition("#")[0]))
            if ":" not in link[2] and not target.endswith(".md") and os.path.isfile(os.path.join(ROOT, target)):
                linked.add(target)
        return piece

    for page in pages:
        _outside_code(_text(page), lambda piece, page=page: collect(piece, page))
    return linked


def on_files(files, config):
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    pages = _pages()
    for path in [*pages, *sorted(_linked(pages)), STYLE]:
        files.append(File(path, ROOT, config.site_dir, config.use_directory_urls))
    return files


# The text of a page.


def _folders_to_pages(text, page):
    """A link to a folder leads to its README, as on GitHub."""

    def lead(link):
        target = os.path.join(os.path.dirname(page), link[2])
        if ":" not in link[2] and os.path.isfile(os.path.join(ROOT, target, "README.md")):
            return f"{link[1]}{link[2].rstrip('/')}/README.md{link[3]}"
        return link[0]

    return _outside_code(text, lambda piece: LINK.sub(lead, piece))


def _lists(text):
    """Lists as Python-Markdown needs them: an empty line before the first item, four blanks for each level."""
    lines, levels, fenced, paragraph = [], [], False, False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            if line.startswith("```"):  # of no list
                levels = []
        item = None if fenced else ITEM.match(line)
        indent = len(line) - len(line.lstrip())
        if item:
            while levels and levels[-1] > indent:
                levels.pop()
            if not levels and paragraph:
                lines.append("")
            levels.append(indent + len(item[0].strip()) + 1)
            lines.append("    " * (len(levels) - 1) + line.lstrip())
        elif levels and line.strip() and indent >= levels[0]:
            while levels[-1] > indent:
                levels.pop()
            lines.append("    " * len(levels) + line[levels[-1]:])
        else:
            if line.strip() and not (levels and lines and lines[-1].strip()):
                levels = []
            lines.append(line)
        paragraph = bool(line.strip()) and not fenced and not levels and not line.startswith(("#", "|", "```"))
    return "\n".join(lines)


def on_page_markdown(markdown, page, **_):
    return _lists(_folders_to_pages(markdown, page.file.src_uri))
