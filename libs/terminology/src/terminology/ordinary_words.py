"""Names that prose uses for something else: `Camila` is a person before she is a contraceptive, `in` is no inch.

A reader of sentences asks here; a reader of coded fields does not, since a field says what stands in it.
"""

from functools import cache

from terminology import tables
from terminology.scan import Words, words_of

COLUMNS = ("words", "because", "source")


def is_one(name: str) -> bool:
    """Whether these words, in this order and no others, mean something else in a sentence."""
    return words_of(name) in _all()


@cache
def _all() -> frozenset[Words]:
    return frozenset(words_of(row["words"]) for row in tables.read("ordinary_words", COLUMNS))
