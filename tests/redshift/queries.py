"""What is checked in a statement's structure: joins of UPDATE .. FROM, DELETE .. USING and MERGE ([D] r_UPDATE, r_DELETE, r_MERGE),
rows that an UPDATE would change twice, strings that are too long."""

import functools

import sqlglot
from sqlglot import exp

from redshift.lexer import text_of, tokens_of
from redshift.rules import rejection

STRING_LIMIT = 65535


@functools.lru_cache(maxsize=4096)
def _refused(text):
    """The id of the rule that the statement breaks, None when none. Statements that the parser does not know are let through."""
    try:
        tree = sqlglot.parse_one(text, read="redshift")
    except sqlglot.errors.SqlglotError:
        return None
    if isinstance(tree, exp.Update):
        sources = tree.args.get("from_") or tree.args.get("from")
        return None if sources is None or _joins(tree.this, tree.args.get("where")) else "update-equijoin"
    if isinstance(tree, exp.Delete):
        return None if not tree.args.get("using") or _joins(tree.this, tree.args.get("where")) else "delete-equijoin"
    if isinstance(tree, exp.Merge):
        return None if _joins(tree.this, tree.args.get("on")) else "merge-equijoin"
    return None


def _joins(target, condition):
    if condition is None:
        return False
    condition = condition.this if isinstance(condition, exp.Where) else condition
    name = target.alias_or_name.lower()
    terms = [condition.unnest()]
    while any(isinstance(term, exp.And) for term in terms):
        terms = [part.unnest() for term in terms for part in ((term.left, term.right) if isinstance(term, exp.And) else (term,))]
    for term in terms:
        if not isinstance(term, exp.EQ):
            # WHERE (a, b) IN (SELECT ..) joins too.
            if isinstance(term, exp.In) and term.args.get("query"):
                return True
            continue
        sides = [{column.table.lower() for column in side.find_all(exp.Column)} for side in (term.left, term.right)]
        if all(sides) and any(side <= {name, ""} for side in sides) and any(side - {name} for side in sides):
            return True
    return False


def check_joins(text):
    if len(text) < 200000:
        rule = _refused(text)
        if rule:
            raise rejection(rule)


def without_qualify(tokens):
    """QUALIFY and TOP n, which PostgreSQL does not have, as it writes them."""
    if not any(token.kind == "w" and token.up in ("QUALIFY", "TOP") for token in tokens):
        return tokens
    text = text_of(tokens)
    if "\\" in text:
        raise rejection("not-emulated", "QUALIFY or TOP beside a backslash")
    try:
        return tokens_of(sqlglot.transpile(text, read="redshift", write="postgres")[0])
    except sqlglot.errors.SqlglotError:
        return tokens


def check_strings(tokens):
    for token in tokens:
        if token.kind == "s" and len(token.text) > STRING_LIMIT // 4 and len(
                token.string().encode(errors="surrogateescape")) > STRING_LIMIT:
            raise rejection("string-size")
        if token.kind == "q" and any(char < " " or "\x7f" <= char < "\xa0" for char in token.text):
            raise rejection("name-characters", token.text)


def check_select_list(tokens):
    """[D] r_Boolean_type: IS TRUE and its like are conditions, no values. Within CASE they are taken ([I] bcodell/dbt-activity-schema#94)."""
    lists, cases = [False], [0]
    for place, token in enumerate(tokens[:20000]):
        if token.text == "(":
            lists.append(False)
            cases.append(0)
        elif token.text == ")" and len(lists) > 1:
            lists.pop()
            cases.pop()
        elif token.kind == "w" and token.up in ("SELECT", "FROM", "CASE", "END"):
            lists[-1] = token.up == "SELECT" or (lists[-1] and token.up != "FROM")
            cases[-1] += (token.up == "CASE") - (token.up == "END")
        elif token.up == "IS" and lists[-1] and not cases[-1]:
            words = [following.up for following in tokens[place + 1:place + 3] if following.up != "NOT"]
            if words[:1] in (["TRUE"], ["FALSE"], ["UNKNOWN"]):
                raise rejection("boolean-is")


def doubled_rows(tokens, translator):
    """SQL that has a row when UPDATE .. FROM would change one row twice; None when the statement is no such UPDATE."""
    if any(token.kind == "p" for token in tokens):
        return None
    parts, depth = {}, 0
    for place, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.kind == "w" and token.up in ("SET", "FROM", "WHERE") and token.up not in parts:
            parts[token.up] = place
    if "FROM" not in parts or "WHERE" not in parts:
        return None
    target = tokens[1:parts["SET"]]
    _, table, after = translator.qualified(tokens, 1)
    alias = translator.name(target[-1]) if after < parts["SET"] else table
    rest = text_of(translator.tokens(tokens[parts["FROM"] + 1:]))
    return f"select 1 from {text_of(translator.tokens(target))}, {rest} group by {alias}.ctid having count(*) > 1 limit 1"
