"""The network over the published weights, and training's short form."""

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from entailment.encoder import Encoder, published
from entailment.judge import WEIGHTS, Judge
from entailment.network import CrossEncoder, Reader
from entailment.pairs import REFUTED, Pair, Part
from entailment.train import blinded, made, surprise
from transformers import BertConfig, BertModel

TEXTS = [("Creatinine rose.", "creatinine 1.2 mg/dL"), ("No.", "Potassium was 5 mmol/L on Monday, and stable since.")]


def labelled(part: Part, origin: str) -> list[Pair]:
    said = [("Potassium rose.", "supported"), ("Potassium fell.", "contradicted"), ("Potassium.", REFUTED)]
    return [
        Pair(text, f"potassium 4.{n}; potassium 5.{n}", label, origin, "", part)
        for n in range(2)
        for text, label in said
    ]


PAIRS = [pair for part in Part for origin in ("wordings", "scifact") for pair in labelled(part, origin)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("verifier")
    made(PAIRS, out, 1, 0)
    return out


def test_before_training_the_encoder_is_the_published_network() -> None:
    config = BertConfig(**json.loads((published() / "config.json").read_text(encoding="utf-8")))
    loaded = BertModel.from_pretrained(published(), config=config, add_pooling_layer=False, local_files_only=True)
    theirs = cast("torch.nn.Module", loaded).eval()
    batch = Reader().read(TEXTS)
    with torch.inference_mode():
        ours = Encoder.pretrained()(batch.ids, batch.mask, batch.segments)
        wanted = theirs(batch.ids, attention_mask=batch.mask, token_type_ids=batch.segments).last_hidden_state
    seen = batch.mask.bool()
    assert (ours[seen] - wanted[seen]).abs().max() < 1e-4


def test_training_changes_adapters_and_head_alone_and_little_is_saved(folder: Path) -> None:
    names = CrossEncoder().trained().keys()
    assert all(name.endswith((".down", ".up")) or name.startswith("head.") for name in names)
    assert (folder / WEIGHTS).stat().st_size < 2_000_000


def test_the_trained_model_judges_and_its_probabilities_sum_to_one(folder: Path) -> None:
    judge = Judge(folder / WEIGHTS)
    together = judge.judge([*TEXTS, *TEXTS])
    assert together.sum(axis=1) == pytest.approx(np.ones(4))
    assert np.abs(together[:2] - together[2:]).max() < 1e-5
    assert np.abs(together[0] - judge.judge(TEXTS[:1])[0]).max() < 1e-5


def test_the_card_names_the_weights_and_promises_nothing_on_too_few_pairs(folder: Path) -> None:
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["sha256"] == Judge(folder / WEIGHTS).sha256
    assert figures["train_pairs"] == sum(pair.part is Part.TRAIN for pair in PAIRS)
    assert (figures["threshold"], figures["lifted"]) == (None, {})


def test_weights_of_another_network_are_refused() -> None:
    network = CrossEncoder()
    with pytest.raises(ValueError, match="not the weights"):
        network.load({"head.weight": network.head.weight.detach()})


def test_a_refuted_pair_may_be_contradicted_or_unsupported() -> None:
    logits = torch.tensor([[-20.0, 0.0, 0.0]])
    assert surprise(logits, [REFUTED]) < 1e-6
    assert surprise(logits, ["contradicted"]) == pytest.approx(np.log(2), abs=1e-6)
    assert surprise(logits, ["supported"]) > 10


def test_a_blinded_sentence_keeps_its_label_and_reads_the_evidence_of_another() -> None:
    own = [pair for pair in PAIRS if pair.origin == "scifact" and pair.part is Part.REPORT]
    blind = blinded(own)
    assert [(each.sentence, each.label) for each in blind] == [(each.sentence, each.label) for each in own]
    assert all(each.evidence != pair.evidence for each, pair in zip(blind, own, strict=True))
