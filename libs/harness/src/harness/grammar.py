"""The grammar of a menu: one alternative for each action, written in token ids, so that each has exactly one spelling.

In the EBNF of xgrammar: `root ::= (Token(17) Token(4)) | (Token(9))`. The end token follows a complete action.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.tokenizer import Tokenizer


@dataclass(frozen=True)
class Grammar:
    """`longest` is the number of tokens of the longest action, its end token included. An empty text allows all."""

    ebnf: str
    longest: int


def compile_menu(menu: Sequence[str], tokenizer: Tokenizer) -> Grammar:
    """The grammar that allows exactly the actions of `menu`."""
    spelled = [tokenizer.encode(text) for text in menu]
    alternatives = (f"({' '.join(f'Token({token})' for token in ids)})" for ids in spelled)
    return Grammar(f"root ::= {' | '.join(alternatives)}\n", max(map(len, spelled)) + 1)
