"""The reasoner's own tokenizer, from its `tokenizer.json`."""

from pathlib import Path

from consult.context.tokens import TokenCounter, estimate
from tokenizers import Tokenizer


def counter(path: Path | None) -> TokenCounter:
    """Exact counts when the file is given, else the documented estimate."""
    if path is None:
        return estimate
    tokenizer = Tokenizer.from_file(str(path))

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count
