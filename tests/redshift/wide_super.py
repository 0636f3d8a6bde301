"""A SUPER of more than 65,535 bytes of text in a join, a window or QUALIFY. [C] artie-labs/transfer clients/redshift/dialect/dialect.go (comments
of BuildDedupeQueriesFixed): "Invalid input (8001): String value exceeds the max size of 65535 bytes" in production, for every shape that takes such
rows through a join; DELETE .. USING, ALTER TABLE APPEND, plain INSERT .. SELECT and projections without the column are safe. No page of AWS tells
it, so that it is played only when asked for: RedshiftFront(wide_super=False)."""

from redshift.names import literal, quoted
from redshift.rules import rejection

SIZED = {"JSON_SIZE", "JSON_TYPEOF"}
COLUMNS = ("select a.attname from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = to_regclass({name}) and t.typname = 'super' "
           "and not a.attisdropped")


def check_wide_super(tokens, relations, translator, backend):
    """`tokens`: of a query, INSERT .. SELECT, UPDATE .. FROM or CREATE TABLE AS."""
    read = [each for each in relations.named if each.role in ("FROM", "JOIN", "USING")]
    words = {token.up for token in tokens[:20000] if token.kind == "w"}
    if tokens[0].up == "DELETE" or not (len(read) + (tokens[0].up == "UPDATE") > 1 or words & {"OVER", "QUALIFY"}):
        return
    named = _named(tokens[:20000])
    for each in read:
        table, names = translator.qualified(tokens, each.place)[1], {each.alias or each.parts[-1], None}
        for column, in backend.rows(COLUMNS.format(name=literal(table))):
            if any((name, what) in named for name in names for what in (column, "*")) and backend.rows(
                    f"select 1 from {table} where octet_length(concat({quoted(column)})) > 65535 limit 1"):
                raise rejection("wide-super-join")


def _named(tokens):
    """(qualifier or None, column or *) of what the statement reads."""
    answer = set()
    for place, token in enumerate(tokens):
        if (token.kind in "wq" or token.text == "*") and not _measured(tokens, place):
            qualified = place >= 2 and tokens[place - 1].text == "."
            answer.add((tokens[place - 2].name() if qualified else None, token.name() or "*"))
    # What an UPDATE sets and an INSERT lists is written, not read.
    if tokens[0].up == "UPDATE":
        answer -= {(None, token.name()) for place, token in enumerate(tokens[:-1]) if token.kind in "wq" and tokens[place + 1].text == "="}
    if tokens[0].up == "INSERT" and len(tokens) > 3:
        first = next((place for place, token in enumerate(tokens) if token.up == "SELECT"), 0)
        read = tokens[first:]
        answer = _named(read) if first else answer
    return answer


def _measured(tokens, place):
    """Whether the name is the argument of a function that does not read the value."""
    while place >= 2 and tokens[place - 1].text == ".":
        place -= 2
    return place >= 2 and tokens[place - 1].text == "(" and tokens[place - 2].up in SIZED
