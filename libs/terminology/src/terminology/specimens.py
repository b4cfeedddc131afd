"""Specimens: the words and codes of what a result is measured in, and which of them are blood to a reader.

Guarantee: a text that names a specimen other than blood is never read as blood, whatever else it names.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from terminology.tables import Row, read

_COLUMNS = ("specimen", "counts_as", "words", "hl7", "snomed", "source")
_BLOOD = "blood"
_SHORT = 512


@dataclass(frozen=True, slots=True)
class Specimen:
    """One kind of material. `is_blood`: whole blood, serum, plasma and venous blood count as one."""

    name: str
    words: tuple[str, ...]
    is_blood: bool


def specimen(name: str) -> Specimen | None:
    """The specimen of exactly this name or word."""
    return _by_word().get(_plain(name))


def by_code(code: str) -> Specimen | None:
    """Of a code of HL7 table 0070 or 0487, or of SNOMED CT."""
    return _by_code().get(code)


def specimen_in(text: str) -> Specimen | None:
    """The specimen that a name or remark mentions: another one before blood; None when it names none."""
    return _kept(text) if len(text) <= _SHORT else _mentioned(text)


def _mentioned(text: str) -> Specimen | None:
    mentioned = [_by_word()[match] for match in _pattern().findall(f" {_plain(text)} ")]
    return next((known for known in mentioned if not known.is_blood), mentioned[0] if mentioned else None)


# Only short texts are kept, so that the cache stays small whatever a sender writes.
_kept = lru_cache(maxsize=4096)(_mentioned)


def without_blood(text: str) -> str:
    """A name without the words that only say blood, serum or plasma: `Serum creatinine` is `creatinine`."""
    return _blood_words().sub(" ", text)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w/,+]+", " ", text.lower().replace("_", " ")).split())


@cache
def _all() -> tuple[tuple[Specimen, Row], ...]:
    rows = read("specimens", _COLUMNS)
    return tuple((Specimen(row["specimen"], row.several("words"), row["counts_as"] == _BLOOD), row) for row in rows)


@cache
def _by_word() -> dict[str, Specimen]:
    return {_plain(word): known for known, _ in _all() for word in (known.name, *known.words)}


@cache
def _by_code() -> dict[str, Specimen]:
    return {code: known for known, row in _all() for code in (*row.several("hl7"), *row.several("snomed"))}


@cache
def _pattern() -> re.Pattern[str]:
    words = sorted(_by_word(), key=len, reverse=True)
    return re.compile(r"(?<![\w])(" + "|".join(map(re.escape, words)) + r")(?![\w])")


@cache
def _blood_words() -> re.Pattern[str]:
    words = sorted({word for known, _ in _all() if known.is_blood for word in (known.name, *known.words)}, key=len)
    alternatives = "|".join(re.escape(word) for word in reversed(words))
    return re.compile(
        rf"\s*(?:\b(?:in|of)\s*(?:{alternatives})\b.*|\((?:{alternatives})\)|\b(?:{alternatives})\b)", re.IGNORECASE
    )
