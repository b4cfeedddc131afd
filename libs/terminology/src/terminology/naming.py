"""Names in a text: which of a table's names stand where, the longest first.

Guarantee: a name is found between word boundaries, whatever its case, hyphens and spaces; a name that may mean
something else is found only as it is written, and is told as uncertain.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[\s\-'’/&+]{0,3}")


@dataclass(frozen=True, slots=True)
class Name:
    """A name of what `key` stands for; `ambiguous` when it may mean something else."""

    text: str
    key: str
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A name that stands in a text, and all that it may mean."""

    start: int
    end: int
    text: str
    keys: tuple[str, ...]
    certain: bool


class Lexicon:
    """Names, looked up by their words."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._names: dict[tuple[str, ...], list[Name]] = {}
        # By the first word of names, how many words the longest of them has.
        self._longest: dict[str, int] = {}
        for name in names:
            words = _words(name.text)
            self._names.setdefault(words, []).append(name)
            for first in words[:1]:
                self._longest[first] = max(len(words), self._longest.get(first, 0))

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """The mentions of a text in their order; none lies within another."""
        spans = list(_WORD.finditer(text))
        words = tuple(span[0].casefold() for span in spans)
        mentions, at = [], 0
        while at < len(spans):
            most = self._longest.get(words[at], 0)
            mention = self._longest_at(text, spans[at : at + most], words[at : at + most]) if most else None
            at += len(_WORD.findall(mention.text)) if mention else 1
            mentions += [mention] if mention else []
        return tuple(mentions)

    def exactly(self, text: str) -> Mention | None:
        """The name that a text is, whole."""
        mentions = self.mentions(text)
        whole = len(mentions) == 1 and _words(mentions[0].text) == _words(text)
        return mentions[0] if whole else None

    def _longest_at(self, text: str, spans: list[re.Match[str]], words: tuple[str, ...]) -> Mention | None:
        for count in range(_joined(text, spans), 0, -1):
            start, end = spans[0].start(), spans[count - 1].end()
            names = self._names.get(words[:count], ())
            if mention := _mention(start, end, text[start:end], names):
                return mention
        return None


def _mention(start: int, end: int, text: str, names: Iterable[Name]) -> Mention | None:
    fitting = [name for name in names if not name.ambiguous or name.text in (text, text.casefold())]
    keys = tuple(dict.fromkeys(name.key for name in fitting))
    certain = len(keys) == 1 and not any(name.ambiguous for name in fitting)
    return Mention(start, end, text, keys, certain) if keys else None


def _joined(text: str, spans: list[re.Match[str]]) -> int:
    """How many words follow each other with nothing between them that parts sentences or items."""
    for count, (left, right) in enumerate(pairwise(spans), start=1):
        if not _GAP.fullmatch(text, left.end(), right.start()):
            return count
    return len(spans)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORD.findall(text))
