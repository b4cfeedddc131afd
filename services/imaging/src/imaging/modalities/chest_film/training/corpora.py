"""Reads the openly licensed corpora of chest films into one form, split by patient, and draws the phantoms.

Nothing of a corpus is ever written to the repository: only weights and figures leave this package.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.modalities.chest_film.network import PROJECTIONS
from imaging.modalities.chest_film.pipeline import SIDE, network_input
from imaging.modalities.chest_film.training.phantom import draw_phantom

UNKNOWN = -1
"""Label of what a corpus does not say; the loss and the figures leave it out."""

FOLDS = 5
CHILDREN, ADULTS, FOLLOW_UP, PHANTOMS = "pneumoniamnist", "nih_cxr14", "hannover_longitudinal", "phantoms"


@dataclass(frozen=True, slots=True)
class Sample:
    """One film, prepared as in serving ([1, SIDE, SIDE]), with what is known about it."""

    film: NDArray[np.float32]
    source: str
    patient: str
    fold: int
    """0..FOLDS-1 by patient for the small corpora; the published split (0 test, 1 validation, 2 train) otherwise."""
    opacity: int
    projection: int
    where: NDArray[np.bool_]
    """[1, SIDE, SIDE]: where the opacities are; nowhere when their places are not known. Known for phantoms only: a
    box of the NIH films marks one finding of several."""


def fold_of(patient: str) -> int:
    """The same patient is always in the same fold, whatever films are at hand."""
    return hashlib.sha256(patient.encode()).digest()[0] % FOLDS


def load_corpora(corpus: Path) -> list[Sample]:
    """Every film under `corpus` (the three folders named above); FileNotFoundError names what is missing."""
    return [*_children(corpus / CHILDREN), *_adults(corpus / ADULTS), *_follow_up(corpus / FOLLOW_UP)]


def draw_phantoms(count: int, first_seed: int) -> list[Sample]:
    """Half of them with an opacity; their projection is nothing real and stays unknown."""
    phantoms = [draw_phantom(first_seed + i, opacity=i % 2 == 1, side=256) for i in range(count)]
    return [
        Sample(network_input(p.film), PHANTOMS, f"phantom-{first_seed + i}", 2, int(p.opacity), UNKNOWN, _mask(p.boxes))
        for i, p in enumerate(phantoms)
    ]


def _children(folder: Path) -> Iterator[Sample]:
    """Kermany's paediatric AP films at 28 px. Patients are not published, so the published split is kept; films of
    the validation part that are byte for byte in the train part are left out of validation.
    """
    arrays = np.load(folder / "pneumoniamnist.npz")
    seen = {image.tobytes() for image in arrays["train_images"]}
    for fold, part in ((2, "train"), (1, "val"), (0, "test")):
        for i, (image, label) in enumerate(zip(arrays[f"{part}_images"], arrays[f"{part}_labels"], strict=True)):
            if part == "train" or image.tobytes() not in seen:
                film = network_input(_enlarge(image))
                yield Sample(film, CHILDREN, f"{part}-{i}", fold, int(label[0]), PROJECTIONS.index("AP"), _mask(()))


def _adults(folder: Path) -> Iterator[Sample]:
    """NIH films: every film with a finding also carries `Pneumonia`, so the only honest label is opacity or none."""
    for row in _rows(folder / "labels.csv"):
        film = network_input(_read(folder / "images" / row["image"]))
        patient = f"nih-{row['patient_id']}"
        opacity = int(row["finding_labels"] != "No Finding")
        yield Sample(film, ADULTS, patient, fold_of(patient), opacity, PROJECTIONS.index(row["view"]), _mask(()))


def _follow_up(folder: Path) -> Iterator[Sample]:
    """Hannover's COVID-19 films: projection is labelled, findings per film are not."""
    for row in _rows(folder / "labels.csv"):
        film = network_input(_read(folder / "images" / f"{row['image_id']}.png"))
        patient = f"hannover-{row['patient_id']}"
        projection = PROJECTIONS.index(row["projection"].upper())
        yield Sample(film, FOLLOW_UP, patient, fold_of(patient), UNKNOWN, projection, _mask(()))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _read(path: Path) -> NDArray[np.float32]:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(path)
    film: NDArray[np.float32] = image.astype(np.float32)
    return film


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    large = cv2.resize(image.astype(np.float32), (192, 192), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.float32)


def _mask(boxes: Sequence[tuple[float, float, float, float]]) -> NDArray[np.bool_]:
    mask = np.zeros((1, SIDE, SIDE), dtype=bool)
    for left, top, width, height in boxes:
        rows = slice(int(top * SIDE), int(np.ceil((top + height) * SIDE)))
        mask[0, rows, int(left * SIDE) : int(np.ceil((left + width) * SIDE))] = True
    return mask
