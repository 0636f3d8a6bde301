"""MERGE: [D] r_MERGE, usage notes."""

from redshift.names import literal
from redshift.relations import relations_of
from redshift.rules import rejection
from redshift.views import is_late_view


def check_merge(tokens, expanded, translator, backend, has_late_views):
    """`expanded`: the tokens as navigation.py rewrote them."""
    if any(token.up == "REMOVE" for token in tokens):
        raise rejection("not-emulated", "MERGE .. REMOVE DUPLICATES")
    if any(token.text.endswith("redshift_navigate(") for token in expanded):
        raise rejection("merge-super")
    target, source = (next((each for each in relations_of(tokens).named if each.role == role), None) for role in ("INTO", "USING"))
    if not source or not target:
        return
    if source.parts[-1] == target.parts[-1] and {*source.parts[:-1]} <= {*target.parts[:-1], "public"}:
        raise rejection("merge-same")
    name = translator.qualified(tokens, source.place)[1]
    if has_late_views and is_late_view(backend, source.parts):
        raise rejection("merge-view")
    if backend.rows(f"select 1 from pg_class where oid = to_regclass({literal(name)}) and relkind = 'v'"):
        raise rejection("merge-view")
