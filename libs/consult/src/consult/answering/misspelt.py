"""Names of the patient's record that a question writes with one letter wrong: `potasium`, `iron deficency`.

Guarantee: only a word that names nothing itself is read as another, and only where one word of the record is near.
"""

import re
from collections.abc import Iterable
from datetime import date

from grounding.reading.tokens import tokens

_WORD = re.compile(r"[A-Za-z]+")
# Shorter words are too near to each other.
_SHORTEST = 6


def mended(question: str, names: Iterable[str], today: date) -> str:
    """With the words of the record's names in place of those that miss them by one letter."""
    known = {word.casefold() for name in names for word in _WORD.findall(name) if len(word) >= _SHORTEST}
    return _WORD.sub(lambda match: _meant(match.group(), known, today), question)


def _meant(word: str, known: set[str], today: date) -> str:
    plain = word.casefold()
    if len(plain) < _SHORTEST or plain in known:
        return word
    near = [each for each in known if each[0] == plain[0] and _is_near(plain, each)]
    if (
        len(near) != 1
        or near[0] in (f"{plain}s", plain.removesuffix("s"))
        or any(node.kinds for node in tokens(plain, today))
    ):
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
