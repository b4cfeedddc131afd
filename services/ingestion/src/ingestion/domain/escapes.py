"""Escape sequences of HL7 text (v2.5.1 section 2.7): delimiters, hexadecimal data, formatting.

What is no escape sequence (the backslashes of a file's path) and local ones (of Z) are left as they stand.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestion.domain.hl7 import Delimiters

_LINES = {".br", ".sp", ".ce"}
_HEXADECIMAL = "X"


def unescape(text: str, delimiters: "Delimiters") -> str:
    """Text as it is meant."""
    if delimiters.escape not in text:
        return text
    return _pattern(delimiters.escape).sub(lambda match: _meaning(match[1], delimiters), text)


def escape(text: str, delimiters: "Delimiters") -> str:
    """Text that can stand in a field: every delimiter written as its escape sequence, line ends as `.br`."""
    sequences = {
        delimiters.escape: "E",
        delimiters.field: "F",
        delimiters.component: "S",
        delimiters.subcomponent: "T",
        delimiters.repetition: "R",
        "\r": ".br",
        "\n": ".br",
    }
    return "".join(f"{delimiters.escape}{sequences[c]}{delimiters.escape}" if c in sequences else c for c in text)


@cache
def _pattern(escape_character: str) -> re.Pattern[str]:
    mark = re.escape(escape_character)
    known = r"[FSTREPHN]|X[0-9A-Fa-f]+|\.(?:br|sp|fi|nf|in|ti|sk|ce)\s*[+-]?\d{0,3}|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}"
    return re.compile(f"{mark}({known}){mark}")


def _meaning(sequence: str, delimiters: "Delimiters") -> str:
    if sequence.startswith(_HEXADECIMAL):
        return _bytes(sequence[1:], delimiters.codec)
    if sequence.startswith("."):
        return _format(sequence)
    characters = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": "#",
    }
    # \H\ and \N\ (highlighting) and \C..\, \M..\ (switching of character sets) have no text of their own.
    return characters.get(sequence, "")


def _format(sequence: str) -> str:
    command, count = sequence[:3], sequence[3:].strip().lstrip("+-")
    if command in _LINES:
        return "\n" * max(int(count or 1), 1)
    return " " * int(count or 1) if command in {".sk", ".in", ".ti"} else ""


def _bytes(digits: str, codec: str) -> str:
    try:
        return bytes.fromhex(digits).decode(codec).replace("\0", "")
    except ValueError:
        return ""
