"""Escape sequences of HL7 text (v2.5.1 section 2.7): delimiters, hexadecimal data, formatting.

What is no escape sequence (the backslashes of a file's path), bytes that are not in the character set, and local ones
(of Z) are left as they stand.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from ingestion.domain.charset import decode_bytes
from ingestion.domain.refusal import Condition, RefusedError, Verdict

if TYPE_CHECKING:
    from ingestion.domain.hl7 import Delimiters

LONGEST = 4 * 1024 * 1024
"""Characters that the escape sequences of one text may become: one event carries no more."""
_GROWS = "the escape sequences of a text become more than one event can carry"
_LINES = {".br", ".sp", ".ce"}
_HEXADECIMAL = "X"
# Control characters (C0, DEL, C1), line and paragraph separators, and what turns the direction of writing (UAX #9).
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def unescape(text: str, delimiters: "Delimiters") -> str:
    """Text as it is meant; RefusedError where it grows beyond use."""
    if delimiters.escape not in text:
        return text
    room = LONGEST

    def meant(match: re.Match[str]) -> str:
        nonlocal room
        meaning = _meaning(match[1], delimiters)
        room -= len(meaning)
        if room < 0:
            raise RefusedError(Condition.APPLICATION_ERROR, _GROWS, None, Verdict.ERROR)
        return meaning

    return _pattern(delimiters.escape).sub(meant, text)


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


def shown(text: str, delimiters: "Delimiters") -> str:
    """A raw field, its control characters and bidirectional marks as hexadecimal escapes: for HL7 it is the same."""
    return text if text.isprintable() else _UNSHOWN.sub(lambda match: _hexadecimal(match[0], delimiters), text)


def _hexadecimal(character: str, delimiters: "Delimiters") -> str:
    if delimiters.escape == "\0":
        return ""
    digits = character.encode(delimiters.codec, errors="replace").hex().upper()
    return f"{delimiters.escape}{_HEXADECIMAL}{digits}{delimiters.escape}"


@cache
def _pattern(escape_character: str) -> re.Pattern[str]:
    mark = re.escape(escape_character)
    # Bytes of one character may be written one by one.
    bytes_side_by_side = rf"X[0-9A-Fa-f]+(?:{mark}{mark}X[0-9A-Fa-f]+)*"
    formats = r"\.(?:br|sp|fi|nf|in|ti|sk|ce)\s*[+-]?\d{0,3}"
    character_sets = r"C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}"
    known = f"[FSTREPHN]|{bytes_side_by_side}|{formats}|{character_sets}"
    return re.compile(f"{mark}({known}){mark}")


def _meaning(sequence: str, delimiters: "Delimiters") -> str:
    if sequence.startswith(_HEXADECIMAL):
        return _bytes(sequence, delimiters)
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


def _bytes(sequence: str, delimiters: "Delimiters") -> str:
    """The text of bytes in the character set of the message, line ends as one; as it stands when it is not in that."""
    mark = delimiters.escape
    digits = sequence[len(_HEXADECIMAL) :].replace(f"{mark}{mark}{_HEXADECIMAL}", "")
    try:
        text = decode_bytes(bytes.fromhex(digits), delimiters.codec)
    except ValueError:
        return f"{mark}{sequence}{mark}"
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
