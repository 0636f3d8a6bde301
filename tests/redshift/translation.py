"""The tokens of a Redshift statement -> SQL of the backend: names folded and shortened, types and a few functions replaced."""

import re

from redshift.lexer import Token
from redshift.names import cut, quoted
from redshift.rules import rejection
from redshift.column_types import parse_type

# [D] r_pg_keywords, as far as PostgreSQL takes them without quotes; words with other uses are looked at by their neighbours.
RESERVED = {
    "AES128",
    "AES256",
    "ALLOWOVERWRITE",
    "AZ64",
    "BACKUP",
    "BLANKSASNULL",
    "BYTEDICT",
    "BZIP2",
    "CREDENTIALS",
    "DEFLATE",
    "DEFRAG",
    "DELTA",
    "DELTA32K",
    "DISABLE",
    "EMPTYASNULL",
    "ENABLE",
    "ENCODE",
    "ENCRYPT",
    "ENCRYPTION",
    "EXPLICIT",
    "GLOBALDICT256",
    "GLOBALDICT64K",
    "GZIP",
    "IDENTITY",
    "IGNORE",
    "LUN",
    "LUNS",
    "LZO",
    "LZOP",
    "MINUS",
    "MOSTLY16",
    "MOSTLY32",
    "MOSTLY8",
    "NEW",
    "OFF",
    "OFFLINE",
    "OFFSET",
    "OLD",
    "OPEN",
    "PARALLEL",
    "PARTITION",
    "PERCENT",
    "PERMISSIONS",
    "RAW",
    "READRATIO",
    "RECOVER",
    "RESPECT",
    "REJECTLOG",
    "RESORT",
    "RESTORE",
    "SNAPSHOT",
    "SYSDATE",
    "SYSTEM",
    "TAG",
    "TDES",
    "TEXT255",
    "TEXT32K",
    "TOP",
    "TRUNCATECOLUMNS",
    "TYPE",
    "WALLET",
    "WITHOUT",
}
BEFORE_NAME = {
    "(", ",", ".", "SELECT", "WHERE", "AND", "OR", "SET", "BY", "COLUMN", "=", "<", ">", "TO", "AS", "ON", "DISTINCT", "NOT", "CASE",
    "WHEN", "THEN", "ELSE"
}
AFTER_QUERY = {
    "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "MINUS", "HAVING", "JOIN", "LEFT", "RIGHT", "FULL",
    "INNER", "CROSS", "NATURAL", "ON", "USING", "QUALIFY"
}
DATE_PARTS = {
    "YEAR", "YEARS", "QUARTER", "MONTH", "MONTHS", "WEEK", "WEEKS", "DAY", "DAYS", "HOUR", "HOURS", "MINUTE", "MINUTES", "SECOND",
    "SECONDS", "MILLISECOND", "MICROSECOND"
}
EXTRACTED = {
    **dict.fromkeys(("SEC", "SECOND", "SECONDS", "S"), "s"),
    **dict.fromkeys(("MS", "MSEC", "MSECS", "MSECOND", "MSECONDS", "MILLISEC", "MILLISECOND", "MILLISECONDS"), "ms"),
    **dict.fromkeys(("US", "USEC", "USECS", "USECOND", "USECONDS", "MICROSEC", "MICROSECS", "MICROSECOND", "MICROSECONDS"), "us")
}
INFINITE = re.compile(r"\s*[+-]?infinity\s*", re.IGNORECASE)
RENAMED_FUNCTIONS = {"CHARINDEX": "strpos", "LEN": "len", "ISNULL": "nvl"}


def folded_name(token, settings):
    """The name a token stands for, folded and cut as Redshift does."""
    return cut(token.name(fold=not settings.case_sensitive))


def closing(tokens, place):
    """The place of the parenthesis that closes the one at `place`, else the last one."""
    depth = 0
    for number in range(place, len(tokens)):
        depth += (tokens[number].text == "(") - (tokens[number].text == ")")
        if depth == 0:
            return number
    return len(tokens) - 1


def _cast_constant(answer, index, operand, kept):
    """Casts of constants: numbers round ([D] r_CAST_function) where a column's are cut off, a string is the bytes of a VARBYTE and not its
    digits ([D] r_VARBYTE_type), infinity is no date."""
    if len(operand) != 1:
        return
    if operand[0].kind == "n" and kept.kind in ("decimal", "integer"):
        answer[index] = Token("w", f"round({operand[0].text}, {kept.scale})")
    elif operand[0].kind == "s" and kept.kind == "varbyte":
        answer[index] = Token("w", f"{operand[0].text}::text")
    elif operand[0].kind == "s" and kept.kind in ("date", "timestamp") and INFINITE.fullmatch(operand[0].string()):
        raise rejection("infinite-date", operand[0].string(), kept.kind)


class Translator:
    def __init__(self, names, settings):
        self.names, self.settings = names, settings

    def name(self, token):
        """The backend's quoted name for one part of a name."""
        return quoted(self.names.short(folded_name(token, self.settings)))

    def qualified(self, tokens, place):
        """A name of one to three parts at `place`: (list of names as the client means them, backend's text, place after it)."""
        parts = [tokens[place]]
        place += 1
        while place + 1 < len(tokens) and tokens[place].text == ".":
            parts.append(tokens[place + 1])
            place += 2
        kept = parts[-2:]
        return [folded_name(part, self.settings) for part in kept], ".".join(self.name(part) for part in kept), place

    def tokens(self, tokens):
        """Tokens of a query or of INSERT, UPDATE, DELETE, rewritten for the backend."""
        answer, place, count, unnamed = [], 0, len(tokens), {}
        while place < count:
            token = tokens[place]
            kind = token.kind
            if token.text == "(" and place and tokens[place - 1].up in ("FROM",
                                                                        "JOIN") and place + 1 < count and tokens[place + 1].up in ("SELECT",
                                                                                                                                   "WITH"):
                end = closing(tokens, place)
                # Redshift takes a query in FROM without a name: Amazon's JDBC driver (getTables) sends such ones.
                if end + 1 >= count or not (tokens[end + 1].kind in "wq" and tokens[end + 1].up not in AFTER_QUERY):
                    unnamed[end] = Token("w", f"as redshift_query_{end}")
            if kind == "q":
                answer.append(Token("q", self.name(token)))
            elif kind == "w":
                place = self._word(tokens, place, answer)
                continue
            elif kind == "o" and token.text == "::":
                # A date or time part of a statement's own (interval literals) is no type with parentheses.
                kept, following = parse_type(tokens, place + 1)
                _cast_constant(answer, len(answer) - 1, tokens[place - 1:place], kept)
                answer += [token, Token("w", kept.text)]
                place = following
                continue
            else:
                answer.append(token)
                if place in unnamed:
                    answer.append(unnamed[place])
            place += 1
        return answer

    def _word(self, tokens, place, answer):
        token, count = tokens[place], len(tokens)
        up, after = token.up, tokens[place + 1].text if place + 1 < count else ""
        before = tokens[place - 1].up if place else ""
        if up in RESERVED:
            self._check_reserved(tokens, place, before, after)
        if len(token.text) > 63 or "#" in token.text:
            answer.append(Token("q", self.name(token)))
        elif up == "SYSDATE" and after != "(":
            answer.append(Token("w", "sysdate()"))
        elif up == "CAST" and after == "(":
            answer.append(token)
            return self._cast(tokens, place + 1, answer)
        elif up in ("DATEADD", "DATEDIFF", "DATE_PART",
                    "DATE_TRUNC") and after == "(" and place + 2 < count and tokens[place + 2].up in DATE_PARTS:
            answer += [token, tokens[place + 1], Token("s", f"'{tokens[place + 2].text.lower()}'")]
            return place + 3
        elif up == "EXTRACT" and after == "(" and place + 3 < count and tokens[place + 2].up in EXTRACTED and tokens[place + 3].up == "FROM":
            end = closing(tokens, place + 1)
            answer += [Token("w", f"redshift_extract('{EXTRACTED[tokens[place + 2].up]}', extract(second from (")]
            answer += [*self.tokens(tokens[place + 4:end]), Token("w", ")))")]
            return end + 1
        elif up in ("DATE", "TIMESTAMP", "TIMESTAMPTZ") and after[:1] == "'" and INFINITE.fullmatch(tokens[place + 1].string()):
            raise rejection("infinite-date", tokens[place + 1].string(), up.lower())
        elif up == "LISTAGG" and after == "(":
            return self._listagg(tokens, place + 1, answer)
        elif up in RENAMED_FUNCTIONS and after == "(" and before != ".":
            answer.append(Token("w", RENAMED_FUNCTIONS[up]))
        else:
            answer.append(token)
        return place + 1

    def _cast(self, tokens, place, answer):
        """CAST ( expression AS type ): `place` is at the parenthesis."""
        depth, end = 0, place
        while end < len(tokens):
            text = tokens[end].up
            if text == "(":
                depth += 1
            elif text == ")":
                depth -= 1
                if depth == 0:
                    break
            elif text == "AS" and depth == 1:
                answer.append(tokens[place])
                begin = len(answer)
                answer += self.tokens(tokens[place + 1:end])
                kept, after = parse_type(tokens, end + 1)
                _cast_constant(answer, begin, tokens[place + 1:end], kept)
                answer += [tokens[end], Token("w", kept.text)]
                return after
            end += 1
        answer.append(tokens[place])
        return place + 1

    def _listagg(self, tokens, place, answer):
        """LISTAGG (x, ',') WITHIN GROUP (ORDER BY y) -> string_agg (x, ',' ORDER BY y): `place` is at the parenthesis."""
        end = closing(tokens, place)
        inside, after = tokens[place + 1:end], end + 1
        if not any(token.text == "," for token in inside):
            inside = [*inside, Token("o", ","), Token("s", "''")]
        answer += [Token("w", "string_agg"), tokens[place], *self.tokens(inside)]
        if [token.up for token in tokens[after:after + 3]] == ["WITHIN", "GROUP", "("]:
            end = closing(tokens, after + 2)
            answer += self.tokens(tokens[after + 3:end])
            after = end + 1
        answer.append(Token("o", ")"))
        return after

    @staticmethod
    def _check_reserved(tokens, place, before, after):
        up = tokens[place].up
        if before not in BEFORE_NAME or after == "(" or (after and after[0] == "'"):
            return
        if before == "SELECT" and up == "TOP" and after.isdigit():
            return
        # stl_load_errors has a column of this name, which everybody asks for without quotes.
        if up == "TYPE" or (up == "SYSDATE" and before != ".") or (up in ("ON", "OFF")
                                                                   and before in ("TO", "=")) or (up == "PARTITION"
                                                                                                  and after.upper() == "BY"):
            return
        if before == "AS" and up != "TAG" and tokens[place - 1].kind != "w":
            return
        raise rejection("reserved", tokens[place].text)
