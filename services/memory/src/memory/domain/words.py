"""A text as a sparse vector of its words, so that a search finds a name or a number that the embedder passes over.

A dimension is a word without case, accents and ending; its value in a piece of text is the part of BM25 (Robertson and
Zaragoza 2009) that the piece alone decides. The other part, how rare a word is, Qdrant multiplies in when it searches.

What a hyphen, slash, point or comma joins is a word too, beside its parts: 5-FU and 5FU, NT-proBNP and NTproBNP, 7.4
and 7,4 are one. A word with an umlaut is there spelled out, too: Ödem is odem and oedem.

A dimension is the CRC-32 of the word, the same everywhere and always. Of two words the chance that they share one is
2^-32: in a record of 20,000 words, one word in 200,000 that is asked for is taken for another as well. That ranks a
piece as if the word stood there, and does no more.
"""

import re
import unicodedata
from collections import Counter
from zlib import crc32

from consult.context.relevance import stem

# BM25 with its authors' constants. The mean length is a constant, of pieces cut by domain.chunks: a vector stays as it
# is when others come.
_SATURATION, _BY_LENGTH, _MEAN = 1.2, 0.75, 30

# Of what `weighed` says of a text: it rises with every change of that, and the index takes all words again.
EDITION = 2
# Words of a text that count, the first ones. The longest piece and the longest question have fewer, if they are prose.
MOST = 1_000

_WORD = re.compile(r"[^\W_]+")
_JOINT = re.compile(r"[-/.,]")
# Possessive, and from the start of a word: a long one is read once.
_JOINED = re.compile(rf"(?<![^\W_])[^\W_]++(?:{_JOINT.pattern}[^\W_]++)+")
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
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
    """The words that count, as 32 bits each."""
    lower = unicodedata.normalize("NFC", text.casefold())
    words = _words(lower)
    if (spelled_out := lower.translate(_SPELLED_OUT)) != lower:
        known = set(words)
        words += [word for word in _words(spelled_out) if word not in known]
    counted = [word for word in words if word not in _EMPTY][:MOST]
    # A number has no ending: 10000 is not 1000.
    return [crc32((stem(word) if word.isalpha() else word).encode()) for word in counted]


def _words(lower: str) -> list[str]:
    """The words and what is joined of them, without accents: Ödem and odem, ß and ss are one."""
    parts = unicodedata.normalize("NFKD", lower)
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return _WORD.findall(plain) + [_join(joined) for joined in _JOINED.findall(plain)]


def _join(joined: str) -> str:
    """Without its joints; of numbers with a point, so that 7.4 is not 74."""
    parts = _JOINT.split(joined)
    return ("." if all(map(str.isdigit, parts)) else "").join(parts)
