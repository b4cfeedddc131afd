"""A small real tokenizer, and what a grammar of the harness allows: for models that choose without a network."""

import re
from collections.abc import Sequence

from harness import Generated, Tokenizer
from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Inner


def tiny_tokenizer(seed_text: str) -> Tokenizer:
    inner = Inner(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = [AddedToken(name, special=True) for name in ("<|im_start|>", "<|im_end|>")]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet)
    inner.train_from_iterator([seed_text] * 5, trainer)
    return Tokenizer.from_json(inner.to_str())


def alternatives(grammar: str) -> list[list[int]]:
    """The token sequences that a grammar of the harness allows."""
    assert grammar.startswith("root ::= ")
    return [[int(token) for token in re.findall(r"Token\((\d+)\)", part)] for part in grammar[9:].split("|")]


def generated(ids: Sequence[int], reason: str = "grammar_end") -> Generated:
    count = len(ids)
    return Generated(tuple(ids), (-1.0,) * count, (0.5,) * count, (False,) * count, reason)
