"""Redshift's SQL as tokens. Strings have backslash escapes ([I] jOOQ/jOOQ#10628) and there is no E'' ([I] npgsql/npgsql#515)."""

import re

from redshift.errors import SqlError

_TOKEN = re.compile(r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<s>'[^'\\]*(?:(?:\\.|'')[^'\\]*)*')
  | (?P<q>"[^"]*(?:""[^"]*)*")
  | (?P<d>\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$)
  | (?P<p>\$\d+)
  | (?P<n>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<w>[A-Za-z_\#\x80-\U0010ffff][\w$\#\x80-\U0010ffff]*)
  | (?P<o>::|<=|>=|<>|!=|\|\||!~\*?|~\*|->>|->|\#>|@>|:=|.)
""", re.VERBOSE | re.DOTALL)


class Token:
    """kind: w word, q quoted name, s string, d dollar-quoted string, n number, p parameter, o operator. `up`: a word in capitals, else
    the text."""

    __slots__ = ("kind", "text", "up")

    def __init__(self, kind, text):
        self.kind, self.text = kind, text
        self.up = text.upper() if kind == "w" else text

    def __repr__(self):
        return self.text

    def name(self, fold=True):
        """The name that this token stands for; None when it stands for none."""
        if self.kind == "w":
            return self.text.lower()
        if self.kind == "q":
            text = self.text[1:-1].replace('""', '"')
            return fold_ascii(text) if fold else text
        return None

    def string(self):
        """The value of a string; backslashes before anything but quote and backslash are not resolved."""
        return re.sub(r"''|\\(['\\])", lambda match: match[1] or "'", self.text[1:-1])


def fold_ascii(text):
    return "".join(char.lower() if char < "\x80" else char for char in text)


def tokens_of(text):
    """All tokens, without space and comments."""
    answer = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "tag":
            kind = "d"
        if kind == "space":
            continue
        if kind == "o" and match[0] in "'\"":
            raise SqlError("42601", "unterminated quoted string at or near \"%s\"" % text[match.start():match.start() + 40])
        answer.append(Token(kind, match[0]))
    return answer


def statements_of(tokens):
    """The tokens of each statement, split at semicolons; empty ones are left out."""
    answer, begin = [], 0
    for place, token in enumerate(tokens):
        if token.text == ";" and token.kind == "o":
            if place > begin:
                answer.append(tokens[begin:place])
            begin = place + 1
    if begin < len(tokens):
        answer.append(tokens[begin:])
    return answer


def text_of(tokens):
    """SQL text again. No space around dots, so that s.t stays one name for whoever reads it."""
    return " ".join(token.text for token in tokens).replace(" . ", ".")


def shape_of(tokens, head=4000, tail=200):
    """What patterns of rules are matched against: capitals, names as "id", strings as ''. The middle of very long statements is left out."""
    if len(tokens) > head + tail:
        tokens = tokens[:head] + tokens[-tail:]
    return " ".join('"id"' if token.kind == "q" else "''" if token.kind in "sd" else token.up for token in tokens)
