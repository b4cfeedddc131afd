"""The only place where text becomes token ids.

Control tokens are put in by id and never read out of text: a letter that contains `<|im_end|>` is encoded as those ten
characters, so no text of a record can end a turn or begin one.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import tokenizers

TURN, END = "<|im_start|>", "<|im_end|>"


class TokenizerRefusedError(Exception):
    """The tokenizer lacks the control tokens of the chat format, or would read them out of text."""


class Tokenizer:
    """A ChatML tokenizer with its SHA-256 (over the text of its tokenizer.json)."""

    def __init__(self, inner: Any, sha256: str) -> None:
        self._inner = inner
        self._inner.encode_special_tokens = True
        self.sha256 = sha256
        self._turn, self.end = (self._control(name) for name in (TURN, END))

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """From the text of a tokenizer.json."""
        return cls(tokenizers.Tokenizer.from_str(text), hashlib.sha256(text.encode()).hexdigest())

    def encode(self, text: str) -> list[int]:
        """Plain text; nothing in it becomes a control token."""
        ids: list[int] = self._inner.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of action tokens, control tokens included as text."""
        text: str = self._inner.decode(list(ids), skip_special_tokens=False)
        return text

    def turn(self, speaker: str, parts: Sequence[Sequence[int]]) -> list[int]:
        """One whole ChatML turn of `system` or `user` from encoded parts."""
        return [self._turn, *self.encode(f"{speaker}\n"), *(i for part in parts for i in part), self.end, *self._line]

    def prompt(self) -> list[int]:
        """Where the model takes over."""
        return [self._turn, *self.encode("assistant\n")]

    @property
    def _line(self) -> list[int]:
        return self.encode("\n")

    def _control(self, name: str) -> int:
        found: int | None = self._inner.token_to_id(name)
        if found is None:
            raise TokenizerRefusedError(f"the tokenizer has no token {name}")
        if found in self.encode(name):
            raise TokenizerRefusedError(f"the tokenizer reads the token {name} out of text: it is not a special one")
        return found
