"""Numbers in text with their units and comparators, in digits and in words."""

import re
from collections.abc import Iterator
from decimal import Decimal

from terminology import units

from grounding.mentions import NumberMention

_COMPARATORS = {
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
    "below": "<",
    "under": "<",
    "less than": "<",
    "lower than": "<",
    "above": ">",
    "over": ">",
    "more than": ">",
    "greater than": ">",
    "higher than": ">",
    "at least": ">=",
    "at most": "<=",
    "up to": "<=",
}
_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000}

_UNIT = "|".join(re.escape(spelling) for spelling in units.PROSE)
_WORD = "|".join([*_UNITS, *_SCALES])
_NUMBER = re.compile(
    r"(?:(?<![-–=])(?P<comparator>"
    + "|".join(re.escape(each) for each in sorted(_COMPARATORS, key=len, reverse=True))
    + r")\s*)?(?P<number>(?<![\w.,^])[-−–]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+))"
    + r"(?:\s?/\s?(?P<second>\d{2,3})(?=\s?mm))?"
    + r"(?:[ \-]?(?P<unit>"
    + _UNIT
    + r")(?![\w]))?",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    rf"\b(?P<number>(?:{_WORD})(?:[ \-](?:and )?(?:{_WORD}))*)[ \-](?P<unit>{_UNIT})(?![\w])", re.IGNORECASE
)


def find(text: str) -> Iterator[NumberMention]:
    """Numbers in digits; a number in words counts when a unit follows it."""
    for match in _NUMBER.finditer(text):
        yield from _mentions(match)
    for match in _IN_WORDS.finditer(text):
        value = Decimal(_in_words(match["number"]))
        yield NumberMention(match.start(), match.end(), match.group(), value, units.printed(match["unit"]), "")


def _mentions(match: re.Match[str]) -> Iterator[NumberMention]:
    comparator = _COMPARATORS.get((match["comparator"] or "").lower(), "")
    unit = units.printed(match["unit"] or "")
    value = _decimal(match["number"])
    if match["second"] is None:
        yield NumberMention(match.start(), match.end(), match.group(), value, unit, comparator)
        return
    cut = match.start("second")
    yield NumberMention(match.start(), cut - 1, match.group()[: cut - match.start() - 1], value, unit, comparator)
    rest = match.group()[cut - match.start() :]
    yield NumberMention(cut, match.end(), rest, Decimal(match["second"]), unit, "")


def _decimal(text: str) -> Decimal:
    clean = text.replace("−", "-").replace("–", "-")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", clean):
        return Decimal(clean.replace(",", ""))
    return Decimal(clean.replace(",", "."))


def _in_words(text: str) -> int:
    total, current = 0, 0
    for word in re.split(r"[ \-]+", text.lower()):
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] == 1000:
                total, current = total + current, 0
        elif word in _UNITS:
            current += _UNITS[word]
    return total + current
