"""Trains and calibrates the verifier's model: `python -m entailment.train --pairs FILE --out DIR [--report]`.

Writes `verifier.safetensors` (adapters, head and card) and `figures.json`; with --report, only the figures of weights
that are there. Seeds are fixed: of the same pairs, machine and threads come the same weights.
"""

import argparse
import json
import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from entailment import calibration, pairs
from entailment.calibration import Floats
from entailment.judge import WEIGHTS, Judge, logits_of
from entailment.network import LABELS, CrossEncoder, Reader
from entailment.pairs import REFUTED, Pair, Part

log = logging.getLogger("entailment.train")

EPOCHS, BATCH, THREADS = 2, 16, 1
RATE = 4e-4
# What the verdicts of a record's sentences are lifted by must hold where words are unknown.
SERVED = "wordings"
# Made by us; the rest is as found.
OURS = frozenset({"stories", SERVED, "abstracts"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", action="store_true")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(THREADS)
    labelled = pairs.read(asked.pairs)
    if asked.report:
        report(labelled, asked.out)
    else:
        made(labelled, asked.out, asked.epochs, asked.seed)


def made(labelled: Sequence[Pair], out: Path, epochs: int, seed: int) -> None:
    """Train on one part, calibrate on the second, write; report on the third."""
    began = time.monotonic()
    parts = {part: [pair for pair in labelled if pair.part is part] for part in Part}
    network = train(parts[Part.TRAIN], epochs, seed)
    made_of = {"train_pairs": len(parts[Part.TRAIN]), "epochs": epochs, "seed": seed}
    card = calibrated(network, parts[Part.CALIBRATE]) | made_of | {"seconds": round(time.monotonic() - began)}
    out.mkdir(parents=True, exist_ok=True)
    save_file(network.trained(), out / WEIGHTS, {"card": json.dumps(card, sort_keys=True)})
    report(labelled, out)


def report(labelled: Sequence[Pair], out: Path) -> None:
    """Figures of the weights in a folder on the report part, with their card and digest."""
    judge = Judge(out / WEIGHTS)
    figures = judge.card | reported(judge, [pair for pair in labelled if pair.part is Part.REPORT])
    text = json.dumps(figures | {"sha256": judge.sha256}, indent=2)
    (out / "figures.json").write_text(text + "\n", encoding="utf-8")


def train(labelled: Sequence[Pair], epochs: int, seed: int) -> CrossEncoder:
    """AdamW over adapters and head, the rate warmed up and then falling to nothing; bfloat16 inside the network."""
    torch.manual_seed(seed)
    network, reader = CrossEncoder(), Reader()
    learned = [each for each in network.parameters() if each.requires_grad]
    steps = epochs * ((len(labelled) + BATCH - 1) // BATCH)
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1, pct_start=0.1)
    for step, batch in enumerate(_batches(labelled, epochs, seed)):
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(reader.read([(pair.sentence, pair.evidence) for pair in batch]))
        loss = surprise(logits.float(), [pair.label for pair in batch])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        rate.step()
        if step % 50 == 0:
            log.info("step %d of %d: loss %.3f", step, steps, loss.item())
    return network


def surprise(logits: Tensor, labels: Sequence[str]) -> Tensor:
    """Cross-entropy; of a refuted pair, of the two labels that it may have together."""
    allowed = torch.tensor(
        [[label == each or (label == REFUTED and each != LABELS[0]) for each in LABELS] for label in labels]
    )
    chosen = logits.log_softmax(1).masked_fill(~allowed, -torch.inf)
    return -chosen.logsumexp(1).mean()


def calibrated(network: CrossEncoder, labelled: Sequence[Pair]) -> dict[str, Any]:
    """Temperature over all sets, and the score that no lie in the served words reached."""
    logits, supported = _scored(network, labelled)
    chosen = calibration.temperature(logits, supported)
    scores = calibration.probabilities(logits, chosen)[:, 0]
    served = np.array([pair.origin == SERVED for pair in labelled])
    return {
        "labels": LABELS,
        "temperature": chosen,
        "threshold": calibration.threshold(scores[served], supported[served]),
    }


def reported(judge: Judge, labelled: Sequence[Pair]) -> dict[str, Any]:
    """Figures by data set, with their own evidence and with that of another pair (what the sentence alone betrays)."""
    scores, blind = _scores(judge, labelled), blinded(labelled)
    alone = _scores(judge, blind)
    supported = np.array([pair.supported for pair in labelled])
    return {
        "report": {origin: asdict(each) for origin, each in calibration.by_origin(scores, labelled).items()},
        "blind_auroc": {origin: each.auroc for origin, each in calibration.by_origin(alone, blind).items()},
        "lifted": lifted(scores, supported, labelled, judge.card["threshold"]),
    }


def lifted(scores: Floats, supported: Any, labelled: Sequence[Pair], above: float | None) -> dict[str, list[float]]:
    """By data set: the share of lies and of true sentences above the threshold."""
    if above is None:
        return {}
    origins = np.array([pair.origin for pair in labelled])
    return {
        str(origin): [
            round(float((scores[(origins == origin) & kind] > above).mean()), 4) for kind in (~supported, supported)
        ]
        for origin in sorted(set(origins))
    }


def blinded(labelled: Sequence[Pair]) -> list[Pair]:
    """Each sentence of the sets as found with the evidence of another pair of its set."""
    blind = []
    for origin in dict.fromkeys(pair.origin for pair in labelled if pair.origin not in OURS):
        own = [pair for pair in labelled if pair.origin == origin]
        others = own[len(own) // 2 :] + own[: len(own) // 2]
        blind += [replace(pair, evidence=other.evidence) for pair, other in zip(own, others, strict=True)]
    return blind


def _scores(judge: Judge, labelled: Sequence[Pair]) -> Floats:
    return np.asarray(judge.judge([(pair.sentence, pair.evidence) for pair in labelled])[:, 0])


def _scored(network: CrossEncoder, labelled: Sequence[Pair]) -> tuple[Floats, Any]:
    logits = logits_of(network, Reader(), [(pair.sentence, pair.evidence) for pair in labelled])
    return logits, np.array([pair.supported for pair in labelled])


def _batches(labelled: Sequence[Pair], epochs: int, seed: int) -> Iterator[list[Pair]]:
    """Pairs of like length together, so that little is padded; the batches in an order of chance."""
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    for _ in range(epochs):
        shuffled = sorted(labelled, key=lambda pair: (len(pair.sentence + pair.evidence) // 60, chance.random()))
        batches = [shuffled[start : start + BATCH] for start in range(0, len(shuffled), BATCH)]
        chance.shuffle(batches)
        yield from batches


if __name__ == "__main__":
    main()
