"""The leader node: its tables and functions do not mix with what is distributed over the compute nodes, which are users' tables and the
STL, STV, SVL, SVV and SYS views. [D] c_sql-functions-leader-node, c_SQL_functions_leader_node_only."""

from redshift.rules import rejection

CATALOGS = ("pg_catalog.", "information_schema.", "pg_")
SYSTEM = ("stl_", "stv_", "svl_", "svv_", "svcs_", "sys_")
# c_SQL_functions_leader_node_only, those it calls deprecated included, and r_VERSION. SUBSTR and LOG, which newer copies of the page list
# too, are left out: their own pages show them beside tables.
ONLY = {
    "CURRENT_SCHEMA", "CURRENT_SCHEMAS", "HAS_DATABASE_PRIVILEGE", "HAS_SCHEMA_PRIVILEGE", "HAS_TABLE_PRIVILEGE", "VERSION", "AGE", "ISFINITE",
    "NOW", "GET_BYTE", "SET_BIT", "SET_BYTE", "TO_ASCII", "FACTORIAL"
}
BARE = {"CURRENT_SCHEMA", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"}  # without parentheses too


def check_leader(tokens, relations):
    names = relations.names()
    catalogs = {name for name in names if name.startswith(CATALOGS)}
    distributed = names - catalogs
    if catalogs and {name for name in distributed if not name.rpartition(".")[2].startswith(SYSTEM)}:
        raise rejection("leader-tables")
    if not distributed or tokens[0].up == "EXPLAIN":
        return
    for place, token in enumerate(tokens[:20000]):
        if token.kind != "w" or (place and tokens[place - 1].text in (".", "AS", "::")):
            continue
        called = place + 1 < len(tokens) and tokens[place + 1].text == "("
        if (called and token.up in ONLY) or token.up in BARE:
            raise rejection("leader-only-function", token.text.lower())
