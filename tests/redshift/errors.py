"""Errors as Redshift words them."""


class SqlError(Exception):
    """What the client gets as an ErrorResponse. `rule`: the id of the rejection rule, None for other errors. `connection_lost`: the
    client gets nothing, its connection is reset."""

    def __init__(self, state, text, detail=None, hint=None, rule=None, connection_lost=False):
        super().__init__(text)
        self.state, self.text, self.detail, self.hint, self.rule, self.connection_lost = state, text, detail, hint, rule, connection_lost


ABORTED = ("25P02", "current transaction is aborted, commands ignored until end of transaction block")


def conflict(detail="Serializable isolation violation on table in Redshift"):
    """Serializable isolation violation: [I] estuary/connectors#5218 (SQLSTATE XX000, not 40001)."""
    return SqlError("XX000", "1023", detail)


def failure_of(fault):
    """What a statement fails with when a fault hits it."""
    if fault["kind"] == "1023":
        return conflict()
    if fault["kind"] == "1018":
        return SqlError("XX000", "1018", "Relation does not exist.")
    if fault["kind"] == "conflict":
        return SqlError("XX000", "could not complete because of conflict with concurrent transaction")
    return SqlError(fault.get("state", "XX000"), fault.get("text", "error"))


def translated(state, text, detail, hint, long_names):
    """An error of PostgreSQL 15 as Redshift gives it. Functions of conversions.sql name their rule in the hint."""
    if hint and hint.startswith("rule "):
        return SqlError(state, text, detail, rule=hint.removeprefix("rule "))
    for short, long in long_names.items():
        if short in text:
            text = text.replace(short, long)
    if state == "23514" and '"redshift_' in text:
        kind = text.partition('"redshift_')[2].partition("_")[0]
        return SqlError("22003", "Numeric data overflow (result precision)", detail) if kind == "decimal" else SqlError(
            "22008", f"{kind} out of range", detail)
    if state == "40001":
        return conflict(f"Serializable isolation violation on table - {text}")
    if (state == "23505" and '"pg_' in text) or (state == "XX000" and text.startswith("tuple concurrently")):
        # Two sessions made or changed one object at once. [I] aws/amazon-redshift-jdbc-driver#147
        return SqlError("XX000", "could not complete because of conflict with concurrent transaction", text)
    if state == "42501":
        text = text.replace("permission denied for table", "permission denied for relation")
    if state == "21000" and "MERGE" in text:
        return SqlError("XX000", "Found multiple matches to update the same tuple.")
    if state == "22P02" and "type json" in text:
        return SqlError("XX000", "JSON parsing error", detail)
    return SqlError(state, text, detail, hint)
