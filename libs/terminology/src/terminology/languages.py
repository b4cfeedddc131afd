"""The language of a text, by the small words that every sentence of it holds.

Rows of `data/languages.tsv`. Guarantee: a text that the rows do not tell from English is given none.
"""

import re
from functools import cache

from terminology import tables

COLUMNS = ("language", "words", "source")
ENGLISH = "English"
# Small words that make a language sure.
_ENOUGH = 2
_WORD = re.compile(r"[^\W\d_]+")


def of(text: str) -> str:
    """Its name in English; nothing for English, or where the text has too few small words to tell."""
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = {language: sum(word in own for word in words) for language, own in known().items()}
    language = max(counts, key=lambda each: (counts[each], each == ENGLISH))
    return language if language != ENGLISH and counts[language] >= _ENOUGH else ""


@cache
def known() -> dict[str, frozenset[str]]:
    """The small words of each language."""
    rows = tables.index(tables.read("languages", COLUMNS), "language").values()
    return {row["language"]: frozenset(row.several("words")) for row in rows}
