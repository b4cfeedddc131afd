"""Names that a question writes with one letter wrong (`potasium`, `iron deficency`) or breaks off (`chlorphen`).

Guarantee: only a word that names nothing itself is read as another, and only where one word is near, of the record;
what breaks off is a drug, of the record first.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache

from grounding.reading.tokens import tokens
from terminology import drugs

_WORD = re.compile(r"[A-Za-z]+")
# Shorter words are too near to each other; letters with which the name of a drug of the record, or of any, may begin.
_SHORTEST = 6
_BEGINNING, _BEGINNING_OF_ANY = 5, 6


def mended(question: str, names: Iterable[str], ordered: Iterable[str], today: date) -> str:
    """With the words of the record's names in place of those that miss them by one letter. `ordered`: of its drugs."""
    known = {word.casefold() for name in names for word in _WORD.findall(name) if len(word) >= _SHORTEST}
    own = frozenset(word.casefold() for name in ordered for word in _WORD.findall(name))
    return _WORD.sub(lambda match: _whole(_meant(match.group(), known, today), own, today), question)


def _whole(word: str, own: frozenset[str], today: date) -> str:
    """The name of the drug that begins so."""
    plain = word.casefold()
    for known, least in ((own, _BEGINNING), (_ingredients(), _BEGINNING_OF_ANY)):
        longer = [each for each in known if each.startswith(plain)] if len(plain) >= least else []
        if len(longer) == 1 and longer[0] != plain and drugs.by_name(longer[0]) and not _names_something(word, today):
            return longer[0]
    return word


def _names_something(word: str, today: date) -> bool:
    return any(node.kinds for node in tokens(word, today))


@cache
def _ingredients() -> frozenset[str]:
    return frozenset(each.name.casefold() for each in drugs.everything() if _WORD.fullmatch(each.name))


def _meant(word: str, known: set[str], today: date) -> str:
    plain = word.casefold()
    if len(plain) < _SHORTEST or plain in known:
        return word
    near = [each for each in known if each[0] == plain[0] and _is_near(plain, each)]
    if len(near) != 1 or near[0] in (f"{plain}s", plain.removesuffix("s")) or _names_something(plain, today):
        return word
    return near[0]


def _is_near(one: str, other: str) -> bool:
    """Whether one letter is missing, too many, another, or changed places with the next."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(min(one, other, key=len))
    )
    left, right = one[start:], other[start:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or (len(left) > 1 and swapped)
