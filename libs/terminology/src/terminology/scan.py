"""Names that stand in a text, the longest first.

Guarantee: a name is found whole, whatever its case and punctuation (`HYDROCODONE-ACETAMINOPHEN` holds two names); no
word belongs to two of the names found.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

Words = tuple[str, ...]
Meaning = TypeVar("Meaning")
_WORD = re.compile(r"[^\W_]+")
_BRITISH = (
    (re.compile("[ao]e"), "e"),
    (re.compile("(?<=[bilm])our"), "or"),
    (re.compile("sulph"), "sulf"),
    (re.compile("leuc(?=o)"), "leuk"),
    (re.compile("mould"), "mold"),
    (re.compile(r"(?<=\w\w\w)is(?=(?:ations?|ed|ing|e[ds]?)\b)"), "iz"),
)


def words_of(text: str) -> Words:
    """The words of a text as names are compared: casefolded, without punctuation; an apostrophe parts no word."""
    return tuple(_WORD.findall(text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")))


def american(text: str) -> str:
    """A text in small letters and in one spelling: `hypoxaemia` as `hypoxemia`, `hospitalised` as `hospitalized`."""
    spelled = text.casefold()
    for british, told in _BRITISH:
        spelled = british.sub(told, spelled)
    return spelled


def scan(text: str, names: Mapping[Words, Meaning], longest: int) -> Iterator[Meaning]:
    """What each name in the text stands for, in the order of the text; no name has more words than `longest`."""
    words, at = words_of(text), 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            meaning = names.get(words[at : at + length])
            if meaning is not None:
                yield meaning
                break
        else:
            length = 1
        at += length
