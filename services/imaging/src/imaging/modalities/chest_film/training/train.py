"""Trains the chest-film network and measures it.

`python -m imaging.modalities.chest_film.training.train --corpus DIR --out DIR`

Writes `chest_film.safetensors` and `figures.json` to the folder given; with --folds, cross-validates over the adults
first. Seeds are fixed: the same machine, threads and corpus give the same weights.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from imaging.modalities.chest_film.network import ChestFilmNetwork, Reading
from imaging.modalities.chest_film.training import corpora
from imaging.modalities.chest_film.training.augment import augment, present
from imaging.modalities.chest_film.training.corpora import ADULTS, CHILDREN, FOLDS, FOLLOW_UP, PHANTOMS, UNKNOWN, Sample
from imaging.modalities.chest_film.training.figures import (
    Calibration,
    area_under_curve,
    bootstrap_interval,
    calibration_error,
    fit_calibration,
    rates,
    threshold_for_specificity,
)
from imaging.modalities.chest_film.training.weights import save_network

log = logging.getLogger("imaging.modalities.chest_film.training")

# Films of each kind in every batch: classes balanced inside each source, so that a source cannot stand for a class.
BATCH = ((CHILDREN, 0, 9), (CHILDREN, 1, 9), (ADULTS, 0, 8), (ADULTS, 1, 8), (FOLLOW_UP, None, 4), (PHANTOMS, None, 10))
LEARNING_RATE = 3e-3
PHANTOM_SEED = 1_000
SPECIFICITY = 0.90


@dataclass(frozen=True, slots=True)
class Table:
    """All films as arrays, row by row."""

    films: Tensor
    places: Tensor
    opacity: NDArray[np.int64]
    projection: NDArray[np.int64]
    source: NDArray[np.str_]
    fold: NDArray[np.int64]
    patient: list[str]

    @classmethod
    def of(cls, samples: list[Sample]) -> Table:
        """Stack the samples."""
        return cls(
            torch.from_numpy(np.stack([s.film for s in samples])),
            torch.from_numpy(np.stack([s.where for s in samples])),
            np.array([s.opacity for s in samples], np.int64),
            np.array([s.projection for s in samples], np.int64),
            np.array([s.source for s in samples]),
            np.array([s.fold for s in samples], np.int64),
            [s.patient for s in samples],
        )

    def split(self, test_fold: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Rows of (train, validation, test). Patients of the small corpora move with the fold; the published split
        of the children and the phantoms stays as it is.
        """
        moving = np.isin(self.source, (ADULTS, FOLLOW_UP))
        place = np.where(moving, (self.fold - test_fold) % FOLDS, self.fold)
        return place >= 2, place == 1, place == 0


def train(table: Table, test_fold: int, steps: int, seed: int) -> ChestFilmNetwork:
    """One network, trained without the films of the test and validation folds."""
    torch.manual_seed(seed)
    random, draws = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    pools = _pools(table, table.split(test_fold)[0])
    network = ChestFilmNetwork().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for step in range(steps):
        rows = np.concatenate([draws.choice(pool, count) for pool, count in pools])
        loss = _loss(network, table, rows, random)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            log.info("fold %d step %d loss %.3f", test_fold, step, loss.item())
    return network.eval()


def _pools(table: Table, train_rows: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], int]]:
    return [
        (np.nonzero(train_rows & (table.source == source) & (label is None or table.opacity == label))[0], count)
        for source, label, count in BATCH
    ]


def _loss(network: ChestFilmNetwork, table: Table, rows: NDArray[np.int64], random: torch.Generator) -> Tensor:
    """Findings and projection are learned on upright films only: others are refused before they are read."""
    films, places = augment(table.films[rows], table.places[rows].float(), random)
    films, presentation = present(films, random)
    reading: Reading = network(films.contiguous(memory_format=torch.channels_last))
    opacity, projection = torch.from_numpy(table.opacity[rows]), torch.from_numpy(table.projection[rows])
    read, placed = (presentation == 0) & (opacity != UNKNOWN), (presentation == 0) & (projection != UNKNOWN)
    positive = (presentation == 0) & (opacity == 1)
    return (
        functional.binary_cross_entropy_with_logits(reading.findings[read, 0], opacity[read].float())
        + 0.5 * functional.cross_entropy(reading.projection[placed], projection[placed])
        + 0.5 * functional.cross_entropy(reading.presentation, presentation)
        + 0.1 * _misplaced(reading.maps[positive, 0], places[positive, 0])
    )


def _misplaced(maps: Tensor, places: Tensor) -> Tensor:
    """How little of the evidence lies where the opacity is, over the films whose place is known (the phantoms)."""
    evidence = functional.relu(maps)
    inside = functional.adaptive_max_pool2d(places[:, None], maps.shape[-2:])[:, 0]
    known = inside.sum(dim=(1, 2)) > 0
    share = ((evidence * inside).sum(dim=(1, 2)) + 1e-3) / (evidence.sum(dim=(1, 2)) + 1e-3)
    return -torch.log(share[known].clamp(1e-3, 1.0)).sum() / max(int(known.sum()), 1)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network says about every row: opacity logits, AP-minus-PA logits, the class of presentation."""

    opacity: NDArray[np.float64]
    projection: NDArray[np.float64]
    presentation: NDArray[np.int64]


@torch.inference_mode()
def read_all(network: ChestFilmNetwork, films: Tensor) -> Outputs:
    """Films as they are, none turned."""
    readings = [network(films[i : i + 128]) for i in range(0, len(films), 128)]
    projection = torch.cat([r.projection for r in readings]).double().numpy()
    return Outputs(
        torch.cat([r.findings[:, 0] for r in readings]).double().numpy(),
        projection[:, 1] - projection[:, 0],
        torch.cat([r.presentation for r in readings]).argmax(1).numpy(),
    )


def calibrate(table: Table, outputs: Outputs, rows: NDArray[np.bool_]) -> Calibration:
    """On validation films; each class of each source weighs the same, so probabilities assume even odds."""
    rows = rows & (table.opacity != UNKNOWN) & np.isin(table.source, (ADULTS, CHILDREN))
    groups = [
        rows & (table.source == source) & (table.opacity == label) for source in (ADULTS, CHILDREN) for label in (0, 1)
    ]
    weights = sum(group / max(group.sum(), 1) for group in groups) * 25.0
    return fit_calibration(outputs.opacity[rows], table.opacity[rows], np.asarray(weights)[rows])


def opacity_figures(
    table: Table, logits: NDArray[np.float64], rows: NDArray[np.bool_], calibration: Calibration, threshold: float
) -> dict[str, object]:
    """The figures of one source; None where a class is missing."""
    scores, labels = logits[rows], table.opacity[rows]
    probabilities = calibration(scores)
    patients = [p for p, kept in zip(table.patient, rows, strict=True) if kept]
    sensitivity, specificity = rates(probabilities, labels, threshold)
    figures: dict[str, object] = {
        "films": int(rows.sum()),
        "positives": int(labels.sum()),
        "auc": area_under_curve(scores, labels),
        "auc_95": bootstrap_interval(scores, labels, patients),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "calibration_error": calibration_error(probabilities, labels),
        "brier": float(np.mean((probabilities - labels) ** 2)),
    }
    return _rounded(figures)


def evaluate(
    table: Table, outputs: Outputs, rows: NDArray[np.bool_], calibration: Calibration, threshold: float
) -> dict[str, object]:
    """Figures by source over the given rows; unlabelled films only show how often they are flagged."""
    by_source: dict[str, object] = {}
    for source in (ADULTS, CHILDREN):
        chosen = rows & (table.source == source)
        by_source[source] = opacity_figures(table, outputs.opacity, chosen, calibration, threshold)
    follow_up = rows & (table.source == FOLLOW_UP)
    flagged = calibration(outputs.opacity[follow_up]) >= threshold
    by_source[FOLLOW_UP] = {"films": int(follow_up.sum()), "flagged": round(float(flagged.mean()), 3)}
    return {
        "opacity": by_source,
        "projection": _projection_figures(table, outputs, rows),
        **_lying(table, outputs, rows),
    }


def _projection_figures(table: Table, outputs: Outputs, rows: NDArray[np.bool_]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for source in (ADULTS, FOLLOW_UP):
        chosen = rows & (table.source == source)
        right = (outputs.projection[chosen] > 0) == table.projection[chosen]
        auc = area_under_curve(outputs.projection[chosen], table.projection[chosen])
        figures[source] = _rounded({"films": int(chosen.sum()), "accuracy": float(right.mean()), "auc": auc})
    return figures


def _lying(table: Table, outputs: Outputs, rows: NDArray[np.bool_]) -> dict[str, object]:
    chosen = rows & np.isin(table.source, (ADULTS, FOLLOW_UP))
    return {"upright_called_upright": round(float((outputs.presentation[chosen] == 0).mean()), 3)}


def _rounded(figures: dict[str, object]) -> dict[str, object]:
    def one(value: object) -> object:
        if isinstance(value, tuple):
            return [one(v) for v in value]
        return None if value != value else round(value, 3) if isinstance(value, float) else value  # noqa: PLR0124

    return {name: one(value) for name, value in figures.items()}


def phantom_figures(network: ChestFilmNetwork, calibration: Calibration, threshold: float) -> dict[str, object]:
    """Phantoms drawn with seeds the training never saw. They say that the line works, nothing about people."""
    table = Table.of(corpora.draw_phantoms(60, first_seed=900_000))
    outputs = read_all(network, table.films)
    return opacity_figures(table, outputs.opacity, np.ones(len(table.patient), bool), calibration, threshold)


def cross_validate(table: Table, steps: int, seed: int) -> dict[str, object]:
    """Every adult film judged by a network that saw no film of its patient; thresholds from each fold's validation."""
    logits = np.zeros(len(table.patient))
    projection, presentation = np.zeros(len(table.patient)), np.zeros(len(table.patient), np.int64)
    for fold in range(FOLDS):
        outputs = read_all(train(table, fold, steps, seed), table.films)
        _, validation, test = table.split(fold)
        calibration = calibrate(table, outputs, validation)
        rows = test & np.isin(table.source, (ADULTS, FOLLOW_UP))
        logits[rows] = calibration.slope * outputs.opacity[rows] + calibration.offset
        projection[rows], presentation[rows] = outputs.projection[rows], outputs.presentation[rows]
    rows = np.isin(table.source, (ADULTS, FOLLOW_UP))
    identity = Calibration(1.0, 0.0)
    adults = opacity_figures(table, logits, table.source == ADULTS, identity, 0.5)
    placed = _projection_figures(table, Outputs(logits, projection, presentation), rows)
    return {"opacity_at_half": {ADULTS: adults}, "projection": placed}


def main(arguments: list[str] | None = None) -> None:
    """Train, calibrate on validation, measure on test, write."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    started = time.monotonic()
    table = Table.of([*corpora.load_corpora(options.corpus), *corpora.draw_phantoms(400, PHANTOM_SEED)])
    figures: dict[str, object] = {"steps": options.steps, "seed": options.seed, "threads": options.threads}
    if options.folds:
        figures["cross_validation"] = cross_validate(table, options.steps, options.seed)
    network = train(table, 0, options.steps, options.seed)
    outputs = read_all(network, table.films)
    _, validation, test = table.split(0)
    calibration = calibrate(table, outputs, validation)
    adults = validation & (table.source == ADULTS)
    threshold = threshold_for_specificity(calibration(outputs.opacity[adults]), table.opacity[adults], SPECIFICITY)
    figures["threshold"] = round(threshold, 4)
    figures["parameters"] = sum(p.numel() for p in network.parameters())
    figures["validation"] = evaluate(table, outputs, validation, calibration, threshold)
    figures["test"] = evaluate(table, outputs, test, calibration, threshold)
    figures["phantoms"] = phantom_figures(network, calibration, threshold)
    figures["seconds"] = round(time.monotonic() - started)
    options.out.mkdir(parents=True, exist_ok=True)
    save_network(network, calibration, threshold, options.out / "chest_film.safetensors")
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    log.info("figures: %s", json.dumps(figures))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m imaging.modalities.chest_film.training.train", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder that holds the three corpora")
    parser.add_argument("--out", type=Path, required=True, help="where weights and figures go")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folds", action="store_true", help="cross-validate over the adults first (five times longer)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    main()
