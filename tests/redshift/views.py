"""Late-binding views: CREATE VIEW .. WITH NO SCHEMA BINDING. [D] r_CREATE_VIEW: no dependency on what they read, which may be altered,
dropped or not there yet; tables need schemas; checked only when queried. The front keeps their text and puts it in their place."""

from redshift.create_table import syntax
from redshift.errors import SqlError
from redshift.lexer import Token, text_of, tokens_of
from redshift.names import literal
from redshift.relations import relations_of
from redshift.rules import rejection

UNBOUND = ["WITH", "NO", "SCHEMA", "BINDING"]


def is_unbound(tokens):
    return [token.up for token in tokens[-4:]] == UNBOUND and "VIEW" in [token.up for token in tokens[1:5]]


def create_unbound(tokens, translator, backend):
    place = next(number for number, token in enumerate(tokens) if token.up == "VIEW") + 1
    replaces = [token.up for token in tokens[1:3]] == ["OR", "REPLACE"]
    parts, table, after = translator.qualified(tokens, place)
    if after >= len(tokens) or tokens[after].up != "AS":
        raise syntax(tokens, after)  # a list of columns is not played
    query = tokens[after + 1:-4]
    if any(len(each.parts) < 2 for each in relations_of(query).named):
        raise rejection("late-binding-names")
    for each in relations_of(query).named:
        if not backend.rows(f"select 1 from pg_namespace where nspname = {literal(each.parts[-2])}"):
            raise SqlError("3F000", f'schema "{each.parts[-2]}" does not exist')
    schema = literal(parts[-2]) if len(parts) > 1 else "current_schema()"
    if backend.rows(f"select 1 from pg_class where oid = to_regclass({literal(table)})"):
        raise SqlError("42P07", f'relation "{parts[-1]}" already exists')
    if replaces:
        backend.run(f"delete from redshift_front.late_views where nspname = {schema} and relname = {literal(parts[-1])}")
    elif backend.rows(f"select 1 from redshift_front.late_views where nspname = {schema} and relname = {literal(parts[-1])}"):
        raise SqlError("42P07", f'relation "{parts[-1]}" already exists')
    backend.run(f"insert into redshift_front.late_views values ({schema}, {literal(parts[-1])}, {literal(text_of(query))})")


def drop_unbound(tokens, translator, backend):
    """DROP VIEW of a late-binding view; False: it is none."""
    place = 4 if [token.up for token in tokens[2:4]] == ["IF", "EXISTS"] else 2
    parts, _, _ = translator.qualified(tokens, place)
    schema = literal(parts[-2]) if len(parts) > 1 else "any (current_schemas(true))"
    return bool(
        backend.rows(f"delete from redshift_front.late_views where nspname = {schema} and relname = {literal(parts[-1])} returning 1"))


def late_views(backend):
    """(schema, name) -> tokens of its query."""
    rows = backend.rows("select nspname, relname, query, nspname = any (current_schemas(true)) from redshift_front.late_views")
    answer = {(row[0], row[1]): tokens_of(row[2]) for row in rows}
    answer.update({(None, row[1]): tokens_of(row[2]) for row in rows if row[3] == "t"})
    return answer


def with_queries(tokens, views, depth=10):
    """The tokens with the queries of late-binding views in their places."""
    relations = [each for each in relations_of(tokens).named if each.role in ("FROM", "JOIN", "USING")]
    found = [(each, views.get((each.parts[-2] if len(each.parts) > 1 else None, each.parts[-1]))) for each in relations]
    found = [(each, query) for each, query in found if query]
    if not found or depth == 0:
        return tokens
    answer, place = [], 0
    for each, query in found:
        answer += tokens[place:each.place] + [Token("o", "("), *query, Token("o", ")")]
        if each.alias is None:
            answer += [Token("w", "AS"), tokens[each.end - 1]]
        place = each.end
    return with_queries(answer + tokens[place:], views, depth - 1)


def is_late_view(backend, parts):
    schema = literal(parts[-2]) if len(parts) > 1 else "any (current_schemas(true))"
    return bool(backend.rows(f"select 1 from redshift_front.late_views where nspname = {schema} and relname = {literal(parts[-1])}"))
