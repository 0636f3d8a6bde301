"""Which tables a statement reads and writes: names after FROM, JOIN, USING, INTO, UPDATE and TABLE, with their aliases."""

from dataclasses import dataclass, field

AFTER_NAME = {
    "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "MINUS", "HAVING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER",
    "CROSS", "NATURAL", "ON", "USING", "QUALIFY", "SET", "VALUES", "SELECT", "WHEN", "WITH", "FROM", "REMOVE", "DEFAULT", "WINDOW", "FETCH",
    "FOR", "AND", "OR", "THEN", "INCLUDING", "EXCLUDING"
}
BEFORE_TABLE = {"CREATE", "TEMP", "TEMPORARY", "LOCAL", "TRUNCATE", "ALTER", "LOCK"}
CALLS = {"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"}


@dataclass
class Relation:
    parts: list          # the name's parts, folded
    place: int           # of its first token
    end: int             # after its last one
    alias: str = None
    alias_end: int = 0   # after the alias, else after the name
    role: str = "FROM"   # the word before it


@dataclass
class Relations:
    named: list = field(default_factory=list)      # of Relation, without common table expressions
    aliases: set = field(default_factory=set)      # every name that a column can be qualified with

    def names(self):
        return {".".join(each.parts[-2:]) for each in self.named}


def name_end(tokens, place):
    """The place after a name of one to three parts."""
    place += 1
    while place + 1 < len(tokens) and tokens[place].text == "." and tokens[place + 1].kind in "wq":
        place += 2
    return place


def relations_of(tokens, head=20000):
    """`head`: how many tokens are looked at; the rest of very long statements are values."""
    tokens = tokens[:head]
    answer, own, count = Relations(), set(), len(tokens)
    for place, token in enumerate(tokens):
        if token.up == "AS" and place and place + 1 < count and tokens[place + 1].text == "(" and tokens[place - 1].kind in "wq":
            own.add(tokens[place - 1].name())
        # The alias of a query in parentheses, or of a column: names that columns can be qualified with.
        if place and tokens[place].kind in "wq" and (tokens[place - 1].text == ")" or tokens[place - 1].up == "AS") and token.up not in AFTER_NAME:
            answer.aliases.add(token.name())
        word = token.up if token.kind == "w" else ""
        if word in ("FROM", "JOIN", "INTO", "USING"):
            if word == "FROM" and _inside_call(tokens, place):
                continue
            following = place + 1
            while following < count and tokens[following].text == "(" and word in ("FROM", "USING"):
                following = _after_query(tokens, following)  # FROM (SELECT ..) x, t
            _list(tokens, following, word, answer)
        elif (word == "TABLE" and place < 4 and all(before.up in BEFORE_TABLE for before in tokens[:place])) or (
                (word == "UPDATE" or (word == "DELETE" and place + 1 < count and tokens[place + 1].up != "FROM")) and (place == 0 or tokens[place - 1].text == ")")):
            _list(tokens, place + 1, word, answer)
    answer.aliases |= own
    answer.named = [each for each in answer.named if len(each.parts) > 1 or each.parts[0] not in own]
    return answer


def _after_query(tokens, place):
    """The place of what follows a query in parentheses, its alias and a comma; the end when no comma follows."""
    depth = 0
    while place < len(tokens):
        depth += (tokens[place].text == "(") - (tokens[place].text == ")")
        place += 1
        if depth == 0:
            break
    while place < len(tokens) and tokens[place].kind in "wq" and tokens[place].up not in AFTER_NAME:
        place += 1
    return place + 1 if place < len(tokens) and tokens[place].text == "," else len(tokens)


def _list(tokens, place, role, answer):
    count = len(tokens)
    if [token.up for token in tokens[place:place + 3]] == ["IF", "NOT", "EXISTS"]:
        place += 3
    while place < count and tokens[place].kind in "wq":
        if tokens[place].up in ("IF", "ONLY", "LATERAL", "UNPIVOT") and tokens[place].kind == "w":
            return
        end = name_end(tokens, place)
        if role in ("FROM", "JOIN") and end < count and tokens[end].text == "(":
            return  # a function
        parts = [tokens[number].name() for number in range(place, end, 2)]
        relation = Relation(parts, place, end, None, end, role)
        after = end + 1 if end < count and tokens[end].up == "AS" else end
        if after < count and tokens[after].kind in "wq" and (tokens[after].kind == "q" or tokens[after].up not in AFTER_NAME):
            relation.alias, relation.alias_end = tokens[after].name(), after + 1
        answer.named.append(relation)
        answer.aliases.add(relation.alias or parts[-1])
        place = relation.alias_end
        if place >= count or tokens[place].text != "," or role not in ("FROM", "USING"):
            return
        place += 1


def _inside_call(tokens, place):
    """Whether the FROM at `place` is an argument's: the parenthesis around it belongs to a function and holds no SELECT."""
    depth = 0
    for number in range(place - 1, -1, -1):
        text = tokens[number].up
        depth += (text == ")") - (text == "(")
        if depth < 0:
            return number > 0 and tokens[number - 1].up in CALLS
        if depth == 0 and text == "SELECT":
            return False
    return False
