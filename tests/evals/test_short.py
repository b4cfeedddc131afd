"""Every evaluation runs to its end in a short form, beside its peers; no figure is asserted."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evals.__main__ import EVALS
from tests.results import Result, keep

FIGURES = {
    "adversary": {"violations", "episodes"},
    "replay": {"identical", "forged_caught"},
    "train_equals_serve": {"max_gap_deterministic", "max_gap_served", "tokens"},
    "verifier": {"found", "false_alarm"},
    "traps": {"rate", "coverage", "claims"},
    "hallucination": {"rate", "coverage", "claims"},
    "citations": {"precision", "recall", "questions"},
    "answers": {"gold", "gold, low", "relevance", "safety", "first", "false_states", "p95_s", "gold, trend"},
    "learning": {"reward", "quality", "tokens", "turns", "left", "gain", "gain, low"},
    "gates": {"train = serve, largest gap", "better than the rules, low", "adversary, violations"},
    "ablations": {"quality", "reward", "tokens", "turns", "steps"},
    "letters": {"first 1", "first 3", "first 5", "later, first 1", "spellings, first 1"},
    "knowledge": {"patient_days", "of 100 patient days, opened, routine", "kept alike, controls"},
    "sentences": {f"{name}, {mode}" for name in ("true_supported", "false_passed") for mode in ("alone", "document")},
}
BESIDE = {
    "answers": {"rules alone", "words", "BM25", "random", "most recent first"},
    "learning": {"rules", "oracle", "words", "random"},
    "ablations": {
        *("one reward an episode", "clipping", "warm start alone", "warm start, then spans"),
        *("curriculum", "not compressed", "compressed"),
    },
    "letters": {"by meaning", "by words"},
    "verifier": {"shared words"},
    "traps": {"rules alone"},
    "hallucination": {"rules alone", "random among allowed", "without the gate", "free prose", "free prose, no gate"},
    "citations": {
        *("to the question alone", "by the model", "random among allowed"),
        *("relevance alone", "first of the word ranking", "embedding from 0.5"),
    },
}


@pytest.mark.parametrize("name", EVALS)
def test_an_evaluation_runs_to_its_end_and_leaves_its_figures(
    name: str, short_form: Callable[[str], Result], tmp_path: Path
) -> None:
    written = json.loads(keep(short_form(name), f"make eval EVAL={name}", tmp_path).read_text())
    assert written.keys() >= {"name", "figures", "n", "seed", "commit", "command", "peers"}
    assert written["figures"].keys() >= FIGURES[name]
    assert written["peers"].keys() == BESIDE.get(name, set())
    beside = [value for figures in written["peers"].values() for value in figures.values()]
    assert all(map(math.isfinite, [*written["figures"].values(), *beside]))
