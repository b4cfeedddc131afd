"""Texts that speak to software and not to a reader: somebody's attempt, and a source of nothing."""

import re

_COMMANDS = re.compile(
    r"<\|[^|<>]*\|>|\bsystem prompt\b|"
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instructions?|prompts?)\b",
    re.IGNORECASE,
)


def speaks_to_software(text: str) -> bool:
    """Whether somewhere in it is what nobody writes to a reader."""
    return bool(_COMMANDS.search(text))
