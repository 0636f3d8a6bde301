"""Correlated subqueries that Redshift cannot decorrelate: [D] r_correlated_subqueries (patterns that are not supported)."""

import functools

import sqlglot
from sqlglot import exp

from redshift.rules import rejection

OUTER = (exp.Select, exp.Update, exp.Delete, exp.Merge)
FREE_AGGREGATES = (exp.Min, exp.Max)


def check_correlated(text):
    if len(text) < 200000 and text.upper().count("SELECT") and _refused(text):
        raise rejection("correlated-subquery")


@functools.lru_cache(maxsize=4096)
def _refused(text):
    """Whether some subquery of the statement is of such a pattern. Statements that the parser does not know are let through."""
    try:
        tree = sqlglot.parse_one(text, read="redshift")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return False
    return any(_is_refused(query, found) for query in tree.find_all(exp.Select) if (found := _correlations(query)))


def _sources(query):
    """Names that columns of this query's own tables are qualified with."""
    if isinstance(query, exp.Select):
        parts = [query.args.get("from_") or query.args.get("from"), *(query.args.get("joins") or [])]
        return {part.this.alias_or_name.lower() for part in parts if part is not None}
    clause, using = query.args.get("from_") or query.args.get("from"), query.args.get("using")
    tables = [query.this, clause.this if isinstance(clause, exp.From) else None, *(using if isinstance(using, list) else [using])]
    return {table.alias_or_name.lower() for table in tables if isinstance(table, exp.Expression)}


def _outer(query):
    return query.parent.find_ancestor(*OUTER) if query.parent else None


def _correlations(query):
    """[(column, levels up to its table)] of columns of outer queries."""
    outer = _outer(query)
    if outer is None:
        return []
    own, answer = _sources(query), []
    for column in query.find_all(exp.Column):
        name = column.table.lower()
        if not name or name in own or column.find_ancestor(exp.Select) is not query:
            continue
        level, above = 1, outer
        while above is not None and name not in _sources(above):
            level, above = level + 1, _outer(above)
        if above is not None:
            answer.append((column, level))
    return answer


def _is_refused(query, correlations):
    outer = _outer(query)
    if any(level > 1 for _, level in correlations):
        return True  # a block is skipped
    join = query.find_ancestor(exp.Join, exp.Select)
    if isinstance(join, exp.Join) and join.side:
        return True  # within ON of an outer join
    if query.find(exp.Window):
        return True
    if isinstance(outer, exp.Select) and _grouped_by(outer, query):
        return True
    inside = query.find_ancestor(exp.In, *OUTER)
    if isinstance(inside, exp.In) and query.args.get("group") and any(not isinstance(each, FREE_AGGREGATES) for each in query.find_all(exp.AggFunc)):
        return True
    return not all(_is_equality(column, query) for column, _ in correlations)


def _grouped_by(outer, query):
    group = outer.args.get("group")
    projection = next((each for each in outer.expressions if any(node is query for node in each.walk())), None)
    if group is None or projection is None:
        return False
    place = str(outer.expressions.index(projection) + 1)
    return any((isinstance(each, exp.Column) and each.name.lower() == projection.alias.lower()) or
               (isinstance(each, exp.Literal) and each.name == place) for each in group.expressions)


def _is_equality(column, query):
    """Whether the column is compared for equality in a condition of WHERE that has to hold."""
    node = column
    while node.parent is not None and node.parent is not query:
        node = node.parent
        if isinstance(node, exp.EQ):
            above = node.parent
            while isinstance(above, (exp.And, exp.Paren)):
                above = above.parent
            return isinstance(above, exp.Where) and above.parent is query
        if isinstance(node, (exp.Or, exp.Not, exp.Where)):
            return False
    return False
