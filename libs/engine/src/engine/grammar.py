"""Grammars as token masks: EBNF compiled once by xgrammar, then one mask per token.

A grammar may be written in characters or in token ids (`Token(17) Token(4)`); the harness writes token ids, so that
each action has exactly one spelling and a token is *forced* exactly when there is no other choice. A grammar that
cannot be compiled, that allows nothing at the start, or that can never come to an end is an error, never a silent hang.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgrammar

from engine.productive import endless_rules


class GrammarError(Exception):
    """The grammar cannot be used; the text says why."""


class GrammarState:
    """Where one request stands in its grammar."""

    def __init__(self, compiled: Any, vocabulary: int, stop_ids: list[int]) -> None:
        self._stop_ids = frozenset(stop_ids)
        self._matcher = xgrammar.GrammarMatcher(compiled)
        self._vocabulary = vocabulary
        self._mask = xgrammar.allocate_token_bitmask(1, vocabulary)
        self._words = self._mask.numpy().view(np.uint8).reshape(-1)

    def allowed(self) -> npt.NDArray[np.intp]:
        """Token ids that may follow, ascending; empty when there is no way on."""
        self._matcher.fill_next_token_bitmask(self._mask)
        return np.flatnonzero(np.unpackbits(self._words, bitorder="little")[: self._vocabulary])

    def accept(self, token: int) -> None:
        if not self._matcher.accept_token(token):
            raise GrammarError(f"token {token} is not allowed here")

    @property
    def ended(self) -> bool:
        """Whether the end token was taken."""
        return bool(self._matcher.is_terminated())

    def only_ends(self, allowed: npt.NDArray[np.intp]) -> bool:
        """Whether nothing but an end token may follow."""
        return bool(len(allowed)) and self._stop_ids.issuperset(allowed.tolist())


class Grammars:
    """Compiles grammars for one tokenizer; keeps the last `kept` by the SHA-256 of their text. Safe across threads."""

    def __init__(self, tokenizer: Path, vocabulary: int, stop_ids: list[int], kept: int = 256) -> None:
        pieces = [""] * vocabulary
        model = json.loads(tokenizer.read_text(encoding="utf-8"))
        for piece, index in model["model"]["vocab"].items():
            pieces[index] = piece
        for added in model["added_tokens"]:
            pieces[added["id"]] = added["content"]
        info = xgrammar.TokenizerInfo(
            pieces, vocab_type=xgrammar.VocabType.BYTE_LEVEL, vocab_size=vocabulary, stop_token_ids=stop_ids
        )
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self._vocabulary, self._stop_ids = vocabulary, stop_ids
        self._kept = kept
        self._compiled: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, ebnf: str) -> GrammarState:
        """A fresh state of the grammar; compiles it if it is new (about 10 ms for a hundred actions)."""
        digest = hashlib.sha256(ebnf.encode()).hexdigest()
        with self._lock:
            if digest not in self._compiled:
                self._compiled[digest] = self._compile(ebnf)
                while len(self._compiled) > self._kept:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(digest)
            compiled = self._compiled[digest]
        return GrammarState(compiled, self._vocabulary, self._stop_ids)

    def _compile(self, ebnf: str) -> Any:
        try:
            grammar = xgrammar.Grammar.from_ebnf(ebnf)
            endless = endless_rules(str(grammar))
            if endless:
                raise GrammarError(f"the grammar has no way out: it never leaves the rules {', '.join(endless)}")
            compiled = self._compiler.compile_grammar(grammar)
        except RuntimeError as error:
            raise GrammarError(f"the grammar cannot be compiled: {_first_line(error)}") from error
        if not len(GrammarState(compiled, self._vocabulary, self._stop_ids).allowed()):
            raise GrammarError("the grammar has no way out: it allows no first token")
        return compiled


def _first_line(error: RuntimeError) -> str:
    return str(error).splitlines()[0].partition("Error: ")[2] or str(error).splitlines()[0]
