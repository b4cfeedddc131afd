"""The figures of the model card: area under the curve with its interval, calibration, thresholds. Pure NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = 1 / (1 + exp(-(slope * logit + offset))) (Platt 1999)."""

    slope: float
    offset: float

    def __call__(self, logits: Numbers) -> Numbers:
        """Logits -> probabilities, same shape."""
        probabilities: Numbers = 1.0 / (1.0 + np.exp(-(self.slope * logits + self.offset)))
        return probabilities


def area_under_curve(scores: Numbers, labels: NDArray[np.int64]) -> float:
    """Chance that a positive scores above a negative, ties counting half; nan when one class is missing."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    if not len(positive) or not len(negative):
        return float("nan")
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / (2 * len(negative)))


def bootstrap_interval(
    scores: Numbers, labels: NDArray[np.int64], patients: list[str], *, seed: int = 0, draws: int = 2000
) -> tuple[float, float]:
    """95 % interval of the area under the curve; patients, not films, are drawn with replacement."""
    random = np.random.default_rng(seed)
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    films = [np.nonzero(owner == i)[0] for i in range(len(names))]
    areas = []
    for _ in range(draws):
        index = np.concatenate([films[i] for i in random.integers(0, len(names), len(names))])
        areas.append(area_under_curve(scores[index], labels[index]))
    low, high = np.nanpercentile(areas, (2.5, 97.5))
    return float(low), float(high)


def fit_calibration(
    logits: Numbers, labels: NDArray[np.int64], weights: Numbers, *, ridge: float = 1e-3
) -> Calibration:
    """Weighted Platt scaling by Newton's method, halving a step that does not improve; the small ridge on the slope
    keeps separable data finite.
    """
    design = np.stack([logits, np.ones_like(logits)], axis=1)

    def loss(theta: Numbers) -> float:
        margins = design @ theta
        return float((weights * (np.logaddexp(0.0, margins) - labels * margins)).sum() + 0.5 * ridge * theta[0] ** 2)

    theta = np.zeros(2)
    for _ in range(50):
        step = _newton_step(design, labels, weights, theta, ridge)
        while loss(theta - step) > loss(theta) and np.abs(step).max() > 1e-9:
            step = step / 2
        theta = theta - step
    return Calibration(float(theta[0]), float(theta[1]))


def _newton_step(design: Numbers, labels: NDArray[np.int64], weights: Numbers, theta: Numbers, ridge: float) -> Numbers:
    probability = 1.0 / (1.0 + np.exp(-np.clip(design @ theta, -60, 60)))
    gradient = design.T @ (weights * (probability - labels)) + ridge * np.array([theta[0], 0.0])
    curvature = (design * (weights * probability * (1 - probability))[:, None]).T @ design
    return np.linalg.solve(curvature + ridge * np.eye(2), gradient)


def calibration_error(probabilities: Numbers, labels: NDArray[np.int64], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini 2015)."""
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        abs(probabilities[index == b].mean() - labels[index == b].mean()) * (index == b).mean()
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


def threshold_for_specificity(probabilities: Numbers, labels: NDArray[np.int64], specificity: float) -> float:
    """The lowest threshold at which at least this share of the negatives stays below."""
    negatives = np.sort(probabilities[labels == 0])
    index = min(int(np.ceil(specificity * len(negatives))), len(negatives)) - 1
    return float(min(negatives[index] + 1e-6, 0.999))


def rates(probabilities: Numbers, labels: NDArray[np.int64], threshold: float) -> tuple[float, float]:
    """(sensitivity, specificity) at a threshold; nan for a class that is missing."""
    flagged = probabilities >= threshold
    with np.errstate(invalid="ignore"):
        sensitivity = flagged[labels == 1].mean() if (labels == 1).any() else np.nan
        specificity = (~flagged[labels == 0]).mean() if (labels == 0).any() else np.nan
    return float(sensitivity), float(specificity)
