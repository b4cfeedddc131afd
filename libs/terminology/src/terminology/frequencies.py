"""How often a dose is taken, as a person writes it: `BID` is `twice daily`, `Q6H PRN` is `every 6 hours as needed`.

Codes are the repeat patterns of HL7 v2.5.1 table 0335 (rows of `data/frequencies.tsv`). Guarantee: a text of which one
word is no code stays as it was sent.
"""

import re
from functools import cache, lru_cache

from terminology import tables

_INTERVAL = re.compile(r"Q([1-9]\d?)(H|D)")
_UNITS = {"H": "hour", "D": "day"}


@lru_cache(maxsize=4096)
def spoken(sent: str) -> str:
    """The words for a frequency, or the text as it was sent."""
    words = [_words(code) for code in sent.upper().split()]
    return " ".join(filter(None, words)) if words and all(words) else sent


def _words(code: str) -> str | None:
    if code in _codes():
        return _codes()[code]
    if not (interval := _INTERVAL.fullmatch(code)):
        return None
    count, unit = int(interval[1]), _UNITS[interval[2]]
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


@cache
def _codes() -> dict[str, str]:
    return {row["code"]: row["words"] for row in tables.read("frequencies", ("code", "words", "source"))}
