"""Text to sentences with character offsets.

Guarantee: spans are in order, do not overlap, and `text[start:end]` is exactly the sentence; decimal points, quotation
marks and common abbreviations do not end one.
"""

import re
from dataclasses import dataclass

_ABBREVIATIONS = frozenset(
    {"dr", "mr", "mrs", "ms", "e.g", "i.e", "vs", "approx", "no", "al", "fig", "st", "tab", "cap", "temp", "vit", "inj"}
)
# These may also be the last word of a sentence: a capital letter after them begins the next.
_ABBREVIATIONS_AT_END = frozenset(
    {"p.o", "b.i.d", "t.i.d", "q.i.d", "q.d", "p.r.n", "i.v", "i.m", "s.c", "a.m", "p.m", "etc", "pt", "hx", "dx"}
)
_LONGEST = 10
_NEXT = re.compile(r"\s*(\S)")
_END = re.compile(r"[.!?]+(?=[\s\")”]|$)|\n+")
_END_OR_CLAUSE = re.compile(_END.pattern + r"|;\s")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


def sentences(text: str, *, clauses: bool = True) -> tuple[Span, ...]:
    """Sentences, and with `clauses` also what a semicolon ends; a quotation in “ ” stays whole."""
    spans: list[Span] = []
    start = 0
    for match in (_END_OR_CLAUSE if clauses else _END).finditer(text):
        if _inside_quote(text, match.start()) or _is_abbreviation(text, match):
            continue
        spans += _trimmed(text, start, match.end())
        start = match.end()
    return (*spans, *_trimmed(text, start, len(text)))


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    part = text[start:end]
    left = len(part) - len(part.lstrip())
    right = len(part.rstrip())
    return [Span(start + left, start + right)] if right > left else []


def _inside_quote(text: str, position: int) -> bool:
    return text.rfind("“", 0, position) > text.rfind("”", 0, position) and "”" in text[position:]


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    before = text[max(0, match.start() - _LONGEST) : match.start()].rsplit(None, 1)[-1:] or [""]
    written = before[0].lstrip("(")
    word = written.lower()
    following = _NEXT.match(text, match.end())
    if following is None:
        return False
    if len(written) == 1 and written.isupper() and following.group(1).islower():
        # A genus: `E. coli`.
        return True
    return word in _ABBREVIATIONS or (word in _ABBREVIATIONS_AT_END and not following.group(1).isupper())
