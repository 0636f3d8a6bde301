"""PartiQL's way into a SUPER: s.k[2].z, also t.s.k and schema.t.s[0]. [D] query-super (navigation, dynamic typing, lax semantics),
super-configurations (case of names). Array unnesting and UNPIVOT in FROM are not played."""

from redshift.lexer import Token
from redshift.names import literal
from redshift.rules import rejection
from redshift.translation import folded_name

COMPARISONS = {"=", "<>", "!=", "<", "<=", ">", ">="}
SCHEMAS = {"pg_catalog", "information_schema", "redshift_front"}


def navigated(tokens, relations, settings):
    """The tokens with every navigation as a call of redshift_navigate."""
    if not any(token.text in (".", "[") for token in tokens[:20000]):
        return tokens
    tables = {number for each in relations.named for number in range(each.place, each.end)}
    for each in relations.named:
        others = {other.alias or other.parts[-1] for other in relations.named if other is not each}
        if each.role in ("FROM", "JOIN") and len(each.parts) > 1 and each.parts[0] in others - {each.parts[-1]}:
            raise rejection("not-emulated", "arrays of a SUPER in FROM")
    from_tables = {tuple(each.parts[-2:]) for each in relations.named if len(each.parts) > 1}
    answer, place, count = [], 0, len(tokens)
    while place < count:
        token = tokens[place]
        before = tokens[place - 1].text if place else ""
        begins = token.kind in "wq" and place not in tables and before not in (".", "::") and place + 1 < count and tokens[place + 1].text in ".["
        end, steps = _chain(tokens, place, settings) if begins else (place, [])
        split = _column(steps, relations, from_tables, settings) if steps and not (end < count and tokens[end].text == "(") else None
        if split is None:
            answer.append(token)
            place += 1
            continue
        column, path = steps[:split], steps[split:]
        base = [part for step in column for part in (Token("o", "."), step[1])][1:]
        call = [Token("w", "pg_catalog.redshift_navigate("), *base]
        for step in path:
            call += [Token("o", ","), Token("w", literal(step[0]))]
        _typed(tokens, place - 2, answer, len(answer) - 1)
        answer += [*call, Token("w", ")")]
        place = end
        if place + 1 < count and tokens[place].text in COMPARISONS and tokens[place + 1].kind == "s":
            answer += [tokens[place], tokens[place + 1], Token("w", "::text")]
            place += 2
    return answer


def _typed(tokens, place, answer, index):
    """'P' = s.k: the constant is a string, not JSON."""
    if place >= 0 and tokens[place + 1].text in COMPARISONS and tokens[place].kind == "s":
        answer.insert(index, Token("w", "::text"))


def _chain(tokens, place, settings):
    """(place after the chain, its steps): (text, token or None for an index)."""
    steps, count = [(_key(tokens[place], settings), tokens[place])], len(tokens)
    place += 1
    while place + 1 < count:
        if tokens[place].text == "." and tokens[place + 1].kind in "wq":
            steps.append((_key(tokens[place + 1], settings), tokens[place + 1]))
            place += 2
        elif tokens[place].text == "[" and place + 2 < count and tokens[place + 1].kind == "n" and tokens[place + 2].text == "]":
            steps.append((tokens[place + 1].text, None))
            place += 3
        else:
            break
    return place, steps


def _key(token, settings):
    if settings.shown("enable_case_sensitive_super_attribute") in ("on", "true") and token.kind == "w":
        return token.text
    return folded_name(token, settings)


def _column(steps, relations, from_tables, settings):
    """How many steps name the column; None when nothing is navigated."""
    index = next((number for number, step in enumerate(steps) if step[1] is None), len(steps))
    names = [step[1].name() for step in steps[:index]]
    if names[0] in SCHEMAS or names[0] == "array":
        return None
    if names[0] in relations.aliases:
        named = 2
    elif len(names) > 2 and tuple(names[:2]) in from_tables:
        named = 3
    else:
        named = 1
    named = min(named, index)
    return named if len(steps) > named else None
