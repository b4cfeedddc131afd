"""How many tokens a text takes.

Without the reasoner's tokenizer the count is an estimate meant to be too high: every digit, mark and byte beyond
ASCII counts one, every run of letters one per two letters. Byte-level BPE vocabularies of today merge more than that.
"""

import re
from typing import Protocol

_WORD = re.compile(r"\d+|[^\s\d]+")
_PIECE = re.compile(r"[A-Za-z]+|\s+|.", re.DOTALL)


class TokenCounter(Protocol):
    """Counts the tokens of one line. No token spans two words, or a digit and another character."""

    def __call__(self, text: str) -> int: ...


def least(text: str) -> int:
    """No counter counts fewer: the words, each cut where digits begin and end."""
    return len(_WORD.findall(text))


def estimate(text: str) -> int:
    """An upper estimate for byte-level BPE tokenizers."""
    return sum(_cost(piece) for piece in _PIECE.findall(text))


def _cost(piece: str) -> int:
    if piece.isspace():
        # A blank joins the word after it; line ends and tabs stand alone.
        return len(piece.encode()) - 1 if piece.startswith(" ") else len(piece.encode())
    if piece.isascii() and piece.isalpha():
        return (len(piece) + 1) // 2
    return len(piece.encode())
