"""ALTER TABLE .. APPEND FROM: [D] r_ALTER_TABLE_APPEND. Rows move by columns of equal names and attributes; both tables are permanent and laid
out alike; the source is empty afterwards."""

from redshift.create_table import syntax
from redshift.names import literal, quoted
from redshift.rules import rejection

COLUMNS = """select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, coalesce(e.encode, ''), a.attidentity <> '',
  coalesce(r.distkey = a.attnum, false), coalesce(array_position(r.sortkeys, a.attnum), 0)
from pg_attribute a left join redshift_front.encodings e on e.relid = a.attrelid and e.attnum = a.attnum
  left join redshift_front.relations r on r.relid = a.attrelid
where a.attrelid = {relation}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum"""
LAYOUT = """select c.relpersistence, c.relkind, coalesce(r.diststyle, 'auto'), case when r.sortkeys is null then '' else r.sortstyle end
from pg_class c left join redshift_front.relations r on r.relid = c.oid where c.oid = {relation}::regclass"""


def append(backend, translator, tokens, place, target, alone):
    """`place`: of the source's name; `target`: the backend's text."""
    if not alone:
        raise rejection("append-block")
    _, source, after = translator.qualified(tokens, place)
    option = tokens[after].up if after < len(tokens) else None
    if option not in (None, "FILLTARGET", "IGNOREEXTRA") or after + 1 < len(tokens):
        raise syntax(tokens, after + (option in ("FILLTARGET", "IGNOREEXTRA")))
    into, out_of = (backend.rows(LAYOUT.format(relation=literal(name)))[0] for name in (target, source))
    if "t" in (into[0], out_of[0]) or "v" in (into[1], out_of[1]):
        raise rejection("append-permanent")
    if into[2:] != out_of[2:]:
        raise rejection("append-layout")
    wanted, given = ({row[0]: row[1:] for row in backend.rows(COLUMNS.format(relation=literal(name)))} for name in (target, source))
    for name, attributes in given.items():
        if name in wanted and wanted[name] != attributes:
            raise rejection("append-column", name)
    shared = [name for name in given if name in wanted]
    identity = [name for name in shared if "t" in (given[name][3], wanted[name][3])]
    if identity:
        raise rejection("append-column", identity[0])
    if len(shared) < len(given) and option != "IGNOREEXTRA":
        raise rejection("append-extra", "source", "IGNOREEXTRA")
    if len(shared) < len(wanted) and option != "FILLTARGET":
        raise rejection("append-extra", "target", "FILLTARGET")
    listed = ", ".join(quoted(name) for name in shared)
    backend.run(f"lock table {target}, {source} in access exclusive mode")
    backend.run(f"insert into {target} ({listed}) select {listed} from {source}")
    backend.run(f"delete from {source}")
