"""A text as a sparse vector of its words, so that a search finds a name or a number that the embedder passes over.

A dimension is a word without case, accents and ending; its value in a piece of text is the part of BM25 (Robertson and
Zaragoza 2009) that the piece alone decides. The other part, how rare a word is, Qdrant multiplies in when it searches.
"""

import re
import unicodedata
from collections import Counter
from zlib import crc32

from consult.context.relevance import stem

# BM25 with its authors' constants. The mean length is a constant, of pieces cut by domain.chunks: a vector stays as it
# is when others come.
_SATURATION, _BY_LENGTH, _MEAN = 1.2, 0.75, 30

_WORD = re.compile(r"[^\W_]+")
# Words that a question asks with. They are in every text; rarity alone does not say so of a person with three letters.
_EMPTY = frozenset(
    _WORD.findall(
        "a am an and any are as at be been by can could did do does for from get gets give given had has have he her "
        "him his how i if in into is it its may me my of on or our she should so some that the their them there these "
        "they this those to us was we were what when where which who why will with would you your"
    )
)
Weights = dict[int, float]


def weighed(text: str) -> Weights:
    """What a piece of text weighs by dimension; empty where it has no word."""
    counts = Counter(_dimensions(text))
    length = 1 - _BY_LENGTH + _BY_LENGTH * counts.total() / _MEAN
    return {word: many * (_SATURATION + 1) / (many + _SATURATION * length) for word, many in counts.items()}


def asked(query: str) -> Weights:
    """Each word of a query counts as much as any other, however often it stands there."""
    return dict.fromkeys(_dimensions(query), 1.0)


def _dimensions(text: str) -> list[int]:
    """The words in their order, as 32 bits each."""
    return [crc32(stem(word).encode()) for word in _WORD.findall(_plain(text)) if word not in _EMPTY]


def _plain(text: str) -> str:
    """Without case and accents: Ödem and odem, ß and ss are one."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
