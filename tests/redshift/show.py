"""SHOW: parameters, SHOW TABLES, SHOW COLUMNS."""

from redshift.lexer import text_of
from redshift.names import literal


def show_text(tokens, translator, settings):
    """SQL of the backend for it."""
    words = [token.up for token in tokens]
    name = tokens[1].name() if len(tokens) > 1 else None
    if len(tokens) == 2 and settings.knows(name):
        return f"select {literal(settings.shown(name))} as {name}"
    if words[1:3] == ["TABLES", "FROM"]:
        schema = translator.qualified(tokens, 4)[0][-1]
        return ("select table_catalog as database_name, table_schema as schema_name, table_name, table_type from svv_tables "
                f"where table_schema = {literal(schema)} order by table_name")
    if words[1:3] == ["COLUMNS", "FROM"]:
        parts = translator.qualified(tokens, 4)[0]
        return ("select table_catalog as database_name, table_schema as schema_name, table_name, column_name, ordinal_position, "
                "column_default, is_nullable, data_type, "
                "character_maximum_length, numeric_precision, numeric_scale, remarks from svv_columns "
                f"where table_name = {literal(parts[-1])}" + (f" and table_schema = {literal(parts[0])}" if len(parts) > 1 else "") +
                " order by ordinal_position")
    return text_of(tokens)
