"""Judgements that a model gave before, so that it is not asked twice: bounded, exact, and without the texts.

Guarantee: a judgement is found again only for the same sentence and the same evidence, character for character: another
number, unit, negation or source is another key (a cache of like meanings takes 5 mg for 50 mg). Judgements of another
model are forgotten.
"""

import hashlib
from collections import OrderedDict

from grounding.undecided import Judgement, Pair

Key = tuple[bytes, bytes]


def key(pair: Pair) -> Key:
    """The digests of the sentence and of the words of what it cites; no patient's text is kept."""
    return _digest(pair.sentence), _digest(pair.evidence)


class Remembered:
    """The `most` judgements used last, of one model. Not for several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._model = ""
        self._held: OrderedDict[Key, Judgement] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def find(self, pair: Pair) -> Judgement | None:
        """None if this very pair was not judged, or too long ago."""
        found = self._held.get(key(pair))
        if found is not None:
            self._held.move_to_end(key(pair))
        return found

    def keep(self, pair: Pair, judgement: Judgement, model: str) -> None:
        """What a model said; the first word of another model empties the cache."""
        if model != self._model:
            self._held.clear()
            self._model = model
        self._held[key(pair)] = judgement
        self._held.move_to_end(key(pair))
        while len(self._held) > self._most:
            self._held.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).digest()
