"""Phrases that stand in a text, whatever its case and punctuation: keys are words in capitals.

Guarantee: a phrase is found whole and never over the end of a sentence or of an item of a list.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

WORD = re.compile(r"[^\W_]+")
# What parts two words of a phrase at most: `Allergies: none` is one phrase.
_GAP = re.compile(r"[^\w.,;!?\n]+")


def find(text: str, known: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """The known phrases of a text, the longest first; none lies within another."""
    words, at = list(WORD.finditer(text)), 0
    longest = max((phrase.count(" ") + 1 for phrase in known), default=0)
    while at < len(words):
        reach = _unbroken(text, words[at : at + longest])
        count = next((n for n in range(reach, 0, -1) if joined(words[at : at + n]) in known), 0)
        if count:
            yield words[at].start(), words[at + count - 1].end(), joined(words[at : at + count])
        at += count or 1


def _unbroken(text: str, words: Sequence[re.Match[str]]) -> int:
    """How many words follow each other without a break."""
    for count, (left, right) in enumerate(pairwise(words), start=1):
        if not _GAP.fullmatch(text, left.end(), right.start()):
            return count
    return len(words)


def joined(words: Sequence[re.Match[str]]) -> str:
    return " ".join(word[0].upper() for word in words)
