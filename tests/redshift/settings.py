"""What SET changes in a session and PostgreSQL does not know: [D] cm_chap_ConfigurationRef."""

from redshift.lexer import Token
from redshift.names import literal

DEFAULTS = {
    "enable_case_sensitive_identifier": "off",
    "json_parse_truncate_strings": "off",
    "error_on_nondeterministic_update": "off",
    "query_group": "unset",
    "wlm_query_slot_count": "1",
    "enable_result_cache_for_session": "on",
    "analyze_threshold_percent": "10",
    "describe_field_name_in_uppercase": "off",
    "downcase_delimited_identifier": "on",
    "enable_case_sensitive_super_attribute": "off",
    "navigate_super_null_on_error": "on",
    "cast_super_null_on_error": "on",
    "enable_numeric_rounding": "off",
    "use_fips_ssl": "off",
    "max_cursor_result_set_size": "0",
    "auto_analyze": "on",
    "mv_enable_aqmv_for_session": "on",
    "spectrum_enable_pseudo_columns": "on",
    "timezone_abbreviations": "default",
    "stats_off": "off",
    "enable_vacuum_boost": "off",
    "default_geometry_encoding": "1",
    "json_serialization_enable": "off",
    "enable_large_strings_opt_in": "off",
    "json_serialization_parse_nested_strings": "off",
    "interval_forbid_composite_literals": "on",
}


class Settings:
    def __init__(self):
        self.values = dict(DEFAULTS)

    @property
    def case_sensitive(self):
        return self.values["enable_case_sensitive_identifier"] in ("on", "true", "1")

    def knows(self, name):
        return name in self.values

    def set(self, name, value):
        self.values[name] = DEFAULTS[name] if value is None else value

    def shown(self, name):
        return self.values[name]


def with_settings(tokens, settings):
    """The tokens of a query with what SET_CONFIG ([D] r_SET_CONFIG) and CURRENT_SETTING ([D] r_CURRENT_SETTING) answer for parameters that the
    backend does not know, which are set by that."""
    if not any(token.up in ("SET_CONFIG", "CURRENT_SETTING") for token in tokens[:2000]):
        return tokens
    answer, place = [], 0
    while place < len(tokens):
        called, given = tokens[place].up, tokens[place + 1:place + 3]
        name = given[1].string().lower() if len(given) == 2 and given[0].text == "(" and given[1].kind == "s" else None
        if called not in ("SET_CONFIG", "CURRENT_SETTING") or name is None or not settings.knows(name):
            answer.append(tokens[place])
            place += 1
            continue
        if called == "SET_CONFIG":
            settings.set(name, tokens[place + 4].string().lower())
        answer.append(Token("s", literal(settings.shown(name))))
        place += 8 if called == "SET_CONFIG" else 4
    return answer
