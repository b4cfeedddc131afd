"""Whether a grammar can always come to an end: no rule that, once entered, can never be left.

Reads xgrammar's normal form, one rule a line: `name ::= ((element element) | (element))`. A rule is productive when
one of its choices has only productive elements; text, character classes and tokens are, an empty class is not.
"""

import re

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_CLASS = re.compile(r"\[(?:[^\]\\]|\\.)*\]")
_TOKENS = re.compile(r"\bToken\([^)]*\)")
_OPTIONAL = re.compile(r"\w+\{0(?:,\s*-?\d*)?\}")
_NAME = re.compile(r"[A-Za-z_]\w*")


def endless_rules(normal_form: str) -> list[str]:
    """Names of the rules that can never be left, in order of appearance; empty for a grammar that always ends."""
    rules = dict(line.split(" ::= ", 1) for line in normal_form.splitlines() if " ::= " in line)
    choices = {name: _choices(body) for name, body in rules.items()}
    productive: set[str] = set()
    while True:
        found = {name for name, options in choices.items() if any(needs <= productive for needs in options)}
        if found == productive:
            return [name for name in choices if name not in productive]
        productive = found


def _choices(body: str) -> list[set[str]]:
    """For each choice of a rule, the rules it needs. The impossible choice needs a rule that does not exist."""
    plain = _CLASS.sub(lambda match: " - " if match[0] == "[]" else " ", _TOKENS.sub(" ", _LITERAL.sub(" ", body)))
    plain = _OPTIONAL.sub(" ", plain)
    return [{"-"} if "-" in part else set(_NAME.findall(part)) for part in plain.split("|")]
